"""A reference image that is cut off at any point is made anew, and nothing half made is registered."""

from pathlib import Path

import numpy as np
import pytest

import loaders.reference.load
from loaders.eight_day.tasks import REFERENCE, arguments
from loaders.input_file import file_checksum
from loaders.reference.product import read_reference
from roman_db.jobs import Mode, run_mode
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.loaders.light_curve import killed
from tests.roman_db.conftest import execute

MODE = Mode("eight-day", "References alone", (REFERENCE,))
COUNTS = (
    "SELECT (SELECT count(*) FROM roman.reference_image), "
    "(SELECT count(*) FROM roman.reference_image_exposure), "
    "(SELECT count(*) FROM roman.reference_psf_moment), "
    "(SELECT count(*) FROM ops.quality_metric WHERE reference_image_id IS NOT NULL)"
)
#: Functions after which the process dies: the file is written, the rows are not committed, all or in part.
POINTS = ("_write", "_image_row", "_register_psf")


def run(redo=False):
    return run_mode(MODE, arguments(unfinished=True, redo=redo), lambda *_: None)


def run_and_die(after: str, redo: bool = False) -> None:
    """Run until a function of the loader has returned for the first time."""
    original = getattr(loaders.reference.load, after)

    def last(*given):
        original(*given)
        killed.kill_me()

    setattr(loaders.reference.load, after, last)
    run(redo)


@pytest.fixture
def loaded(new_database, tmp_path_factory, tmp_path, monkeypatch, pytestconfig):
    """A database with exposures of two spans, and the folder of products."""
    base = tmp_path_factory.getbasetemp()
    spans = two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    settings.cache_clear()
    succeed("load", "exposure", spans.folder)
    yield new_database, tmp_path / "products"
    settings.cache_clear()


@pytest.mark.heavy
def test_a_killed_build_leaves_nothing_and_is_done_by_the_next_run(loaded):
    url, products = loaded
    for point in POINTS:
        assert killed.in_process(run_and_die, point) < 0
        assert execute(url, COUNTS) == [(0, 0, 0, 0)]
    report = run()
    assert not report.failed
    assert execute(url, COUNTS) == [(2, 2 * two_spans.N_EXPOSURE, 2 * 25, 6 + 8)]
    files = sorted(products.rglob("*.asdf"))
    assert [str(path) for path in files] == [
        row[0] for row in execute(url, "SELECT path FROM roman.reference_image ORDER BY path")
    ]
    assert all(np.isfinite(read_reference(path).image.data).any() for path in files)
    assert not [path for path in products.rglob("*") if path.is_file() and path not in files]
    ((dead,),) = execute(url, "SELECT count(*) FROM ops.load_run WHERE state = 'running'")
    assert dead == 0

    # What is there stays whole until another has taken its place.
    registered = "SELECT path, sha256 FROM roman.reference_image WHERE superseded_at IS NULL ORDER BY path"
    before = execute(url, registered)
    for point in POINTS:
        assert killed.in_process(run_and_die, point, True) < 0
        assert execute(url, registered) == before
        assert [file_checksum(Path(path)) for path, _ in before] == [sha256 for _, sha256 in before]
    assert not run(redo=True).failed
    after = execute(url, registered)
    assert not {path for path, _ in before} & {path for path, _ in after}
    assert sorted(products.rglob("*.asdf")) == [Path(path) for path, _ in after]
