"""A season from nothing but its exposures: references, objects, light curves, and what they show."""

import pytest

from loaders.report.load import write_run_report
from loaders.season.tasks import SEASON, arguments
from roman_db.jobs import Mode, run_mode
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.loaders.report.test_page import check
from tests.loaders.season.better_catalog import learn
from tests.roman_db.conftest import execute

MODE = Mode(
    "season",
    "Without the PSFs, which take a minute each: that of the optics is the true one here",
    tuple(task for task in SEASON.tasks if task.name != "psf"),
)


@pytest.fixture(scope="module")
def spans(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)


@pytest.fixture
def loaded(new_database, spans, tmp_path, monkeypatch):
    """A database with the exposures of two spans of the first season."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    succeed("load", "exposure", spans.folder)
    yield new_database
    settings.cache_clear()


def run(season, **more):
    # Events are put into the images of the season alone: each measures all exposures some times more.
    given = arguments("gbtds", season, "psf", images=True, **more)
    return run_mode(MODE, given | {"image_injections": 5 if season == 1 else 0}, lambda *_: None)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_season_of_exposures_alone(loaded):
    assert run(2).succeeded == []
    report = run(1)
    assert not report.failed
    done = {name.split()[0] for name in report.succeeded}
    assert {
        "reference",
        "season_reference",
        "catalog",
        "difference",
        "photometer",
        "variability",
        "event_injection",
        "event_images",
        "event_image_search",
        "season_quality",
    } <= done
    # The same events at both levels, each counted.
    query = "SELECT n_event, tp_count_images + fn_count_images, n_untouched FROM roman.event_medium_count"
    ((n_event, n_counted, n_untouched),) = execute(loaded, query)
    assert n_event == n_counted == n_untouched == 5
    # The span of the last days had not ended, and has an image all the same.
    current = "SELECT reference_kind, start_mjd FROM roman.reference_image WHERE superseded_at IS NULL"
    rows = execute(loaded, f"{current} ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [("season", 61448), *(("span", day) for day in two_spans.DAYS)]
    # What only the image of the season shows is photometered at once.
    ((version,),) = execute(
        loaded, "SELECT max(catalog_version_id) FROM roman.catalog_version WHERE n_new > 0"
    )
    behind = (
        "SELECT count(*) FROM roman.light_curve_block WHERE superseded_at IS NULL AND catalog_version_id < "
    )
    assert execute(loaded, f"{behind}{version}") == [(0,)]
    ((n_object, n_described),) = execute(
        loaded,
        "SELECT (SELECT count(DISTINCT object_id) FROM roman.light_curve_segment), "
        "(SELECT count(*) FROM roman.variability WHERE season = 1)",
    )
    assert n_object == n_described > 50

    index = write_run_report(report.load_run_id, lambda *_: None)
    elements = check(index.read_text(), index.parent)
    pages = {link.get("href", "") for link in elements.of("a")}
    assert len({page for page in pages if page.startswith("reference_") and page.endswith(".html")}) == 3
    for words in ("Light curves and variables of season 1", "season_quality", "variable_fraction"):
        assert words in elements.text
    assert run(1).succeeded == []
    _moved(loaded)


def _moved(url):
    """An object that moved is measured anew, in all blocks that have it, and once."""
    query = """SELECT s.object_id, count(*) FROM roman.light_curve_segment s JOIN roman.light_curve_block b
        USING (block_id) WHERE b.superseded_at IS NULL AND photometry_kind = 'psf'
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"""
    ((object_id, n_block),) = execute(url, query)
    learn(object_id, dec_mas=20.0)
    photometry = ("photometer", "dia")
    # One of two hundred objects is less than one in a hundred.
    assert not [name for name in run(0).succeeded if name.startswith(photometry)]
    report = run(0, moved_share=0.001)
    assert not report.failed
    again = [name for name in report.succeeded if name.startswith("photometer")]
    assert len(again) >= n_block
    assert all(" block " in name for name in again)
    again = run(0, moved_share=0.001).succeeded
    assert not [name for name in again if name.startswith(photometry)]
