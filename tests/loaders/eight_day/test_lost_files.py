"""Files that are lost or damaged after they were loaded cost their exposures, not the image of the others."""

import shutil

import pytest

from loaders.eight_day.tasks import REFERENCE, arguments
from loaders.time_domain.tasks import COMPARE
from roman_db.jobs import Mode, run_mode
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.roman_db.conftest import execute

#: Exposures of the first span whose files are harmed.
GONE, CUT = 2, 9

MEMBERS = (
    "SELECT n_exposure, (SELECT count(*) FROM roman.reference_image_exposure m "
    "WHERE m.reference_image_id = r.reference_image_id AND m.is_used) FROM roman.reference_image r "
    f"WHERE superseded_at IS NULL AND start_mjd = {two_spans.DAYS[0]}"
)


@pytest.fixture
def files(new_database, tmp_path_factory, tmp_path, monkeypatch, pytestconfig):
    """Exposures of the first span of their own, loaded."""
    base = tmp_path_factory.getbasetemp()
    spans = two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base)
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    own = tmp_path / "own"
    own.mkdir()
    copies = [shutil.copy(path, own) and own / path.name for path in spans.files[: two_spans.N_EXPOSURE]]
    succeed("load", "exposure", own)
    yield copies
    settings.cache_clear()


def run(task):
    return run_mode(Mode("some", "One task", (task,)), arguments(unfinished=True), lambda *_: None)


def rejected(url, report):
    """Names of the files that a run rejected, and why; of those that lie elsewhere nothing."""
    rows = execute(
        url,
        f"SELECT source, code FROM ops.load_rejection WHERE load_run_id = {report.load_run_id} "
        "AND code <> 'misfit' ORDER BY source",
    )
    return [(source.split(":")[0], code) for source, code in rows]


@pytest.mark.heavy
def test_a_lost_and_a_truncated_file(new_database, files):
    content = {number: files[number].read_bytes() for number in (GONE, CUT)}
    files[GONE].unlink()
    files[CUT].write_bytes(content[CUT][:-20_000])
    expected = [(str(files[GONE]), "missing_file"), (str(files[CUT]), "changed_file")]
    report = run(REFERENCE)
    assert not report.failed
    assert rejected(new_database, report) == expected
    n_used = two_spans.N_EXPOSURE - 3
    assert execute(new_database, MEMBERS) == [(n_used, n_used)]

    # While they are lost it is said, and the image stays; when they are back they are in it.
    images = "SELECT reference_image_id FROM roman.reference_image"
    before = execute(new_database, images)
    report = run(REFERENCE)
    assert not report.failed
    assert rejected(new_database, report) == expected
    assert execute(new_database, images) == before
    for number, bytes_of_it in content.items():
        files[number].write_bytes(bytes_of_it)
    report = run(REFERENCE)
    assert not report.failed
    assert rejected(new_database, report) == []
    assert execute(new_database, MEMBERS) == [(n_used + 2, n_used + 2)]
    assert run(REFERENCE).succeeded == []


@pytest.mark.heavy
def test_differences_without_a_truncated_file(new_database, files):
    assert not run(REFERENCE).failed
    files[CUT].write_bytes(files[CUT].read_bytes()[:-20_000])
    report = run(COMPARE)
    assert not report.failed
    assert rejected(new_database, report) == [(str(files[CUT]), "changed_file")]
    n_compared = "SELECT count(*) FROM roman.difference_image WHERE exposure_id IS NOT NULL"
    assert execute(new_database, n_compared) == [(two_spans.N_EXPOSURE - 2,)]


@pytest.mark.heavy
def test_a_folder_of_products_that_cannot_be_written(new_database, files, tmp_path, monkeypatch):
    """It is said before the image is made, of both tasks, and every exposure is accounted for."""
    assert not run(REFERENCE).failed
    (tmp_path / "file").touch()
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "file"))
    settings.cache_clear()
    redo = arguments(unfinished=True, redo=True)
    report = run_mode(Mode("some", "Both", (REFERENCE, COMPARE)), redo, lambda *_: None)
    assert len(report.failed) == 2
    for why in report.failed.values():
        assert why.startswith(f"{tmp_path / 'file'}/")
        assert "cannot be written (Not a directory). Check the permissions" in why
    counts = f"SELECT n_read, n_rejected FROM ops.load_run WHERE load_run_id = {report.load_run_id}"
    assert execute(new_database, counts) == [(2 * two_spans.N_EXPOSURE - 1,) * 2]
