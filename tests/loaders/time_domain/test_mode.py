"""Exposures against all others, from files to objects and products, against the truth of the simulation."""

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from roman_datamodels.datamodels import TimeDomainSourceCatalogModel

from loaders.eight_day.tasks import CATALOG, REFERENCE, arguments
from loaders.input_file import file_checksum
from loaders.time_domain import load
from loaders.time_domain.commands import difference
from loaders.time_domain.tasks import DIFFERENCE, selection
from roman_db.jobs import Mode, run_mode
from roman_db.settings import settings
from tests.faults.command_line import succeed
from tests.loaders.eight_day import two_spans
from tests.loaders.time_domain import flares
from tests.roman_db.conftest import execute

NJY_AB = 3631e9
BEFORE = Mode("reference", "The reference of the first span, and its objects", (REFERENCE, CATALOG))
COMPARED = flares.N_FIRST - 1 + flares.N_SECOND
CURRENT = (
    "SELECT count(*) FROM roman.difference_image WHERE superseded_at IS NULL AND exposure_id IS NOT NULL"
)


@pytest.fixture(scope="module")
def series(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(pytestconfig, "workerinput") else base
    return flares.simulated(shared, tmp_path_factory.mktemp("flares"))


@pytest.fixture
def prepared(database, series, tmp_path, monkeypatch):
    """A database with the reference of the first span alone: the second has not ended."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    succeed("load", "exposure", series.folder)
    assert not run_mode(BEFORE, arguments(), lambda *_: None).failed
    yield database
    settings.cache_clear()


def run(**chosen):
    return run_mode(DIFFERENCE, selection(**chosen), lambda *_: None)


def sources(url, ra, dec, radius=0.03):
    """Sources of current differences of exposures around a place."""
    return execute(
        url,
        "SELECT s.difference_image_id, s.psf_flux, s.psf_flux_err, s.kind, s.object_id, d.exposure_id "
        "FROM roman.dia_source s JOIN roman.difference_image d USING (difference_image_id) "
        f"WHERE d.superseded_at IS NULL AND q3c_radial_query(s.ra, s.dec, {ra}, {dec}, {radius} / 3600.0) "
        "ORDER BY s.midpoint_mjd_tdb",
    )


@pytest.mark.heavy
def test_exposures_against_all_others(prepared, series, monkeypatch):
    _cut_off(prepared, monkeypatch)
    _without_a_file(prepared)
    report = run()
    assert not report.failed
    _accounts(prepared, report)
    _differences(prepared)
    _flares(prepared, series)
    _stars(prepared, series.spans)
    _products(prepared, series)
    again = run()
    assert (again.succeeded, again.failed) == ([], {})
    _once_more(prepared)
    succeed("audit")


def _cut_off(url, monkeypatch):
    """A run that is killed after two exposures leaves these, once and whole."""
    stored, store = [], load._store

    def cut_off(*given):
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(given)
        store(*given)

    with monkeypatch.context() as patch:
        patch.setattr(load, "_store", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run(day=two_spans.DAYS[1])
    assert execute(url, CURRENT) == [(2,)]


def _without_a_file(url):
    """An exposure whose file is gone is rejected; those that are left are done, the others not again."""
    ((path,),) = execute(
        url,
        "SELECT f.path FROM roman.exposure e JOIN ops.input_file f USING (file_id) "
        f"WHERE e.day_mjd = {two_spans.DAYS[1]} ORDER BY e.midpoint_mjd_tdb DESC LIMIT 1",
    )
    hidden = Path(path).rename(path + ".hidden")
    try:
        outcome = CliRunner().invoke(difference, ["--day", str(two_spans.DAYS[1])])
    finally:
        hidden.rename(path)
    assert outcome.exit_code == 1
    assert "1 exposure rejected" in outcome.output
    assert f"{flares.N_SECOND - 3} exposures compared" in outcome.output
    assert execute(url, "SELECT source FROM ops.load_rejection WHERE code = 'missing_file'") == [(path,)]
    assert execute(url, CURRENT) == [(flares.N_SECOND - 1,)]


def _once_more(url):
    """What is done again takes the place of what was there, which stays with its file."""
    before = execute(url, CURRENT)
    outcome = CliRunner().invoke(difference, ["--day", str(two_spans.DAYS[1]), "--redo"])
    assert outcome.exit_code == 0, outcome.output
    assert execute(url, CURRENT) == before
    old = execute(
        url,
        "SELECT catalog_path, catalog_sha256 FROM roman.difference_image "
        "WHERE superseded_at IS NOT NULL AND exposure_id IS NOT NULL",
    )
    assert len(old) == flares.N_SECOND
    assert all(file_checksum(Path(path)) == sha256 for path, sha256 in old)


def _accounts(url, report):
    """All exposures but the one that fits no reference; what was given is what was loaded."""
    ((expected, read, loaded, rejected),) = execute(
        url,
        "SELECT n_expected, n_read, n_loaded, n_rejected FROM ops.load_run "
        f"WHERE load_run_id = {report.load_run_id}",
    )
    left = COMPARED - (flares.N_SECOND - 1)
    assert (expected, read, loaded, rejected) == (left, left, left, 0)


def _differences(url):
    """Exposures of the reference are compared with it without them, later ones with all of it."""
    rows = execute(
        url,
        "SELECT e.day_mjd, d.is_left_out, d.n_template, d.kernel_sum, d.reduced_chi2, d.fraction_beyond "
        "FROM roman.difference_image d JOIN roman.exposure e USING (exposure_id) "
        "WHERE d.superseded_at IS NULL AND d.file_id = e.file_id",
    )
    assert len(rows) == COMPARED
    inside = flares.N_FIRST - 1
    for day, left_out, n_template, kernel_sum, chi2, beyond in rows:
        assert left_out == (day == two_spans.DAYS[0])
        assert n_template == (inside - 1 if left_out else inside)
        assert kernel_sum == pytest.approx(1.0, abs=0.03)
        assert chi2 < 2
        # A flare, or two bright stars, on so small an image.
        assert beyond < 0.06


def _flares(url, series):
    """A flare is in the difference of its exposure in full, whether the reference has it in it or not."""
    midpoints = execute(url, "SELECT midpoint_mjd_tdb, exposure_id FROM roman.exposure ORDER BY 1")
    for number in (flares.MEMBER, flares.LATER):
        own = midpoints[number][1]
        (row,) = [
            one for one in sources(url, series.ra[number], series.dec[number]) if one[5] == own and one[1] > 0
        ]
        assert row[1] == pytest.approx(flares.FLUX, rel=0.05)
    # One alone is no object, and no other exposure shows it.
    ((_, _, _, kind, object_id, _),) = sources(url, series.ra[flares.LATER], series.dec[flares.LATER])
    assert kind in ("new", "edge")
    assert object_id is None


def _stars(url, spans):
    """The star that appeared is one new object that all later exposures show, the other one varies."""
    place = spans.scenes[0].stars.astrometry
    magnitudes = [scene.star_magnitude["F146"] for scene in spans.scenes]
    for row, kinds in ((spans.appeared, {"new", "variable"}), (spans.brightened, {"variable"})):
        found = sources(url, place.ra[row], place.dec[row])
        assert len(found) == flares.N_SECOND
        # Beside pixels that do not count in some exposure; an object once it is one.
        assert {one[3] for one in found} - {"edge"} <= kinds
        # Of so few exposures, the reference has false objects beside bright stars.
        of_object = [one[4] for one in found if one[4] is not None]
        assert max(map(of_object.count, of_object)) >= flares.N_SECOND - 2
        before, after = (NJY_AB * 10 ** (-0.4 * magnitude[row]) for magnitude in magnitudes)
        assert np.median([one[1] for one in found]) == pytest.approx(after - before, rel=0.03)
    ((n_new,),) = execute(url, "SELECT sum(n_new) FROM roman.catalog_version WHERE name = 'difference'")
    assert n_new >= 1
    objects = execute(
        url,
        f"SELECT count(*) FROM roman.object WHERE q3c_radial_query(ra, dec, {place.ra[spans.appeared]}, "
        f"{place.dec[spans.appeared]}, 0.03 / 3600)",
    )
    assert objects[0][0] >= 1


def _products(url, series):
    """Each file is the one of its row; what it says is what the database has, read by others' programs."""
    rows = execute(
        url,
        "SELECT d.catalog_path, d.catalog_sha256, d.n_source, d.difference_image_id, f.filename "
        "FROM roman.difference_image d JOIN ops.input_file f USING (file_id) WHERE d.superseded_at IS NULL",
    )
    needed = TimeDomainSourceCatalogModel.create_fake_data().source_catalog.colnames
    for path, sha256, count, identifier, filename in rows:
        assert file_checksum(Path(path)) == sha256
        table = pyarrow.parquet.read_table(path)
        assert table.num_rows == count
        assert {name for name in needed if "aper00" not in name} <= set(table.column_names)
        meta = table.schema.metadata
        assert meta[b"roman.meta.image.filename"].decode() == filename
        stored = execute(
            url,
            "SELECT ra, dec, psf_flux, ra_err FROM roman.dia_source "
            f"WHERE difference_image_id = {identifier} ORDER BY source_number",
        )
        if stored:
            ra, dec, flux, ra_err = (np.array(column) for column in zip(*stored, strict=True))
            np.testing.assert_allclose(table["ra_psf"], ra, rtol=1e-12)
            np.testing.assert_allclose(table["dec_psf"], dec, rtol=1e-12)
            np.testing.assert_allclose(table["psf_flux"], flux, rtol=1e-6)
            np.testing.assert_allclose(table["ra_psf_err"].to_numpy() * 1000, ra_err, rtol=1e-5)
            for name in ("ra_psf_err", "dec_psf_err", "x_psf_err", "psf_flux_err", "forced_psf_flux_err"):
                assert (table[name].to_numpy() > 0).all(), name
    assert len(rows) == len(series.files) - 1


def test_without_a_reference_exposures_wait(database, series, monkeypatch):
    monkeypatch.setenv("ROMAN_DB_WORKERS", "1")
    settings.cache_clear()
    succeed("load", "exposure", series.files[0])
    outcome = CliRunner().invoke(difference, [])
    assert outcome.exit_code == 0
    assert "0 exposures compared" in outcome.output
    outcome = CliRunner().invoke(difference, ["--detector", "WFI99"])
    assert outcome.exit_code == 2
    assert "WFI99" in outcome.output
