"""A season from its light curves to the pages that an operator opens."""

from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from loaders.report.commands import commands as report_commands
from loaders.report.load import write_run_report
from loaders.season.commands import commands
from loaders.season.tasks import QUALITY, arguments
from loaders.season_report.facts import event_file
from loaders.season_report.load import read_events
from loaders.season_report.model_curve import seen_bands
from loaders.season_report.page import write_event
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.schema.metadata import table
from roman_db.settings import settings
from tests.loaders.report.test_page import check
from tests.queries.filling import LENSED

#: The mode without what takes long.
SEASON = Mode("season", "Statistics and quality", (LOCUS, VARIABILITY, QUALITY))


@click.group()
def root():
    """The command line as far as seasons go."""


@root.group()
def run():
    """Run a mode."""


commands(root)
report_commands(root)


def command(*words):
    return CliRunner().invoke(root, words)


@pytest.fixture
def products(own_survey, tmp_path, monkeypatch):
    """A folder of products of its own."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def store_event(survey) -> int:
    """Store the truth of the object that is lensed as an event with a model; its flux is not blended."""
    with session.transaction(session.Role.OWNER) as connection:
        newest = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()

        def insert(target, **row):
            rows = table(f"roman.{target}")
            statement = rows.insert().returning(next(iter(rows.primary_key.columns)))
            return connection.execute(statement, row).scalar_one()

        event = insert(
            "event", object_id=int(survey.object_id[LENSED]), season=1, photometry_kind="psf", is_event=True,
            classification="single_lens", t_0_guess=2461461.8, t_eff=0.2, search_shape=1, search_gain=5000.0,
            delta_chi2=6000.0, n_point=81, load_run_id=newest,
        )  # fmt: skip
        model = insert(
            "event_model", event_id=event, rank=1, name="1L1S", n_lens=1, n_source=1, has_finite_source=False,
            has_parallax=False, chi2=80.0, n_point=81, n_parameter=7, bic=110.0, is_converged=True,
            software="by hand", load_run_id=newest,
        )  # fmt: skip
        # Times of the survey are MJD; its BJD are later by what it says.
        for name, value, err in (("t_0", 2461461.702, 0.01), ("u_0", 0.3, 0.01), ("t_E", 0.7, 0.02)):
            insert("event_model_parameter", event_model_id=model, name=name, value=value, err=err)
        for element in ("F146", "F087"):
            flux = float(survey.flux[element][LENSED])
            for number, light in ((0, 0.0), (1, flux)):
                insert(
                    "event_model_flux", event_model_id=model, optical_element=element, source_number=number,
                    flux=light, error_scale=1.0,
                )  # fmt: skip
        return int(event)


@pytest.mark.heavy
def test_the_page_of_a_stored_event(own_survey, products):
    report = run_mode(SEASON, arguments("gbtds", 1, "psf"), lambda *_: None)
    assert not report.failed
    event_id = store_event(own_survey)
    (event,) = read_events(arguments("gbtds", 1, "psf"), [event_id])
    # Noise alone is left: 9 of 81 points are F087.
    seen = seen_bands(event, event.models[0])
    assert [one.band.name for one in seen] == ["F146", "F087"]
    assert 0.7 < seen[0].residual.std() < 1.4

    index = write_run_report(None, lambda *_: None)
    assert index == products / "report" / f"run{report.load_run_id}" / "index.html"
    elements = check(index.read_text(), index.parent)
    assert f"event_{event_id}.html" in {link.get("href") for link in elements.of("a")}
    assert "variable_fraction" in elements.text
    page = check((index.parent / f"event_{event_id}.html").read_text(), index.parent)
    # Whole, close and residuals: the peak is not short against the event.
    assert len(page.of("img")) == 3
    assert f"roman-db lightcurve --id {own_survey.object_id[LENSED]}" in page.text
    assert "2461461.702 ± 0.010" in page.text
    # Objects of the survey lie some arcseconds apart.
    assert page.text.count("roman-db lightcurve") == 1 + len(event.neighbours)

    # Once more, of the latest run: the pages are written in place of those.
    before = {path.name for path in index.parent.iterdir()}
    again = command("report", "run")
    assert again.output.splitlines()[-1] == str(index)
    assert {path.name for path in index.parent.iterdir()} == before


@pytest.mark.heavy
def test_the_page_of_an_event_names_its_twins_and_what_it_is_the_same_as(own_survey, products):
    first, second = store_event(own_survey), store_event(own_survey)
    copied = (
        "INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source,"
        " has_parallax, chi2, n_point, n_parameter, bic, is_converged, software, load_run_id, twin_of,"
        " degeneracy, up_to_season)"
        " SELECT event_id, 2, '1L2S', 1, 2, false, false, chi2 + 3, n_point, 10, bic + 9, true, software,"
        " load_run_id, event_model_id, 'binary_source', 2 FROM roman.event_model WHERE event_id = :event"
    )
    link = "UPDATE roman.event SET season = 2, same_as_event_id = :first WHERE event_id = :event"
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(copied), {"event": first})
        connection.execute(sa.text(link), {"event": second, "first": first})
    one, other = read_events(arguments("gbtds", 1, "psf"), [first, second])
    best, twin = one.models
    assert (best.twin_of, best.degeneracy, best.up_to_season) == (None, None, None)
    assert (twin.twin_of, twin.degeneracy, twin.up_to_season) == (1, "binary_source", 2)
    assert one.same == [f"event {second} of season 2, single_lens"]
    assert other.same == [f"event {first} of season 1, single_lens, the first"]
    write_event(one, products)
    (products / "index.html").touch()
    page = check((products / event_file(first)).read_text(), products)
    assert "1: binary source" in page.text
    assert one.same[0] in page.text


@pytest.mark.heavy
def test_a_season_is_run_and_reported(products):
    done = command("run", "season", "1", "--no-images")
    assert done.exit_code == 0, done.output
    assert "variable_fraction" in done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("Report: ")]
    index = Path(line.removeprefix("Report: "))
    assert index.parent.parent == products / "report"
    elements = check(index.read_text(), index.parent)
    pages = sorted(index.parent.glob("event_*.html"))
    assert pages
    assert {page.name for page in pages} <= {link.get("href") for link in elements.of("a")}
    for page in pages:
        event = check(page.read_text(), index.parent)
        assert len(event.of("img")) in (3, 4)
        assert "t_E" in event.text


def test_a_season_without_light_curves_has_a_page_that_says_so(products):
    done = command("run", "season", "2", "--photometry-kind", "aperture")
    assert done.exit_code == 0, done.output
    index = Path(done.output.splitlines()[-1].removeprefix("Report: "))
    assert "no described light curves of season 2 of the kind aperture" in index.read_text()
