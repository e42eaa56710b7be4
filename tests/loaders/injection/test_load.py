"""``roman-db inject``: files valid under RAD, sources in the database, all rows accounted for."""

from pathlib import Path

import numpy as np
import pytest
import roman_datamodels.datamodels as rdm
from astropy.table import Table

from loaders.psf.optics import optical_psf
from loaders.simulation.level3 import simulate_level3
from loaders.simulation.mosaic import MosaicGrid
from loaders.simulation.product import write_product
from loaders.simulation.season import plan_exposures
from loaders.wfi.level2 import read_level2
from tests.faults.command_line import roman_db, succeed
from tests.loaders.simulation.conftest import moffat_psf
from tests.roman_db.conftest import execute

RANDOM = ("--random", 30, "--magnitudes", 19, 22, "--seed", 5)


def inject(folder, *files, options=RANDOM, name="trial"):
    return roman_db("inject", *files, *options, "--output", folder, "--name", name)


def content(path):
    with rdm.open(path) as model:
        names = ("data", "err", "var_poisson", "var_rnoise", "dq")
        return {name: np.asarray(model[name]).copy() for name in names if name in model}


def table(path: Path, **columns):
    Table(columns).write(path)
    return path


def sky(path, x, y):
    """Places of pixels of an exposure."""
    return read_level2(path).projection.to_sky(np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float))


@pytest.mark.heavy
def test_images_are_valid_products_that_say_what_they_are(new_database, survey, tmp_path):
    first, second = survey.exposures()[:2]
    before = first.read_bytes()
    outcome = inject(tmp_path / "out", first, second)
    assert (outcome.code, outcome.out) == (
        0,
        "32 images and sources read: 32 loaded (0 of them were there already), 0 rejected.\n",
    )
    assert first.read_bytes() == before
    output = tmp_path / "out" / first.name.replace("_cal", "_injectedcal")
    with rdm.open(output) as model:
        model.validate()
        assert model.meta.filename == output.name
        assert model.meta.injection["run"] == "trial"
        assert model.meta.injection["source_filename"] == first.name
        assert "artificial sources were added" in list(model.meta.cal_logs)[-1]
        for name, kind in (("data", "f4"), ("err", "f2"), ("var_poisson", "f2"), ("dq", "u4")):
            assert np.asarray(model[name]).dtype == kind
    assert read_level2(output).injection == "trial"
    assert read_level2(first).injection is None


def test_the_sources_and_images_are_stored_as_they_are(new_database, survey, tmp_path):
    exposures = survey.exposures()[:2]
    options = (*RANDOM, "--galaxies", 0.5)
    assert inject(tmp_path, *exposures, options=options).code == 0
    run = execute(
        new_database,
        "SELECT name, inject_medium, optical_element, seed, n_source, parameters FROM roman.injection_run",
    )
    parameters = {"number": 30, "population": {"magnitudes": [19.0, 22.0], "galaxy_fraction": 0.5}}
    assert run == [("trial", "images", "F146", 5, 30, parameters)]
    images = execute(
        new_database,
        "SELECT image_number, level, source_path, path, n_inside FROM roman.injection_image ORDER BY 1",
    )
    assert [row[:3] for row in images] == [(n, 2, str(path)) for n, path in enumerate(exposures)]
    assert all(Path(row[3]).exists() for row in images)
    assert images[0][4] == 30
    rows = execute(new_database, "SELECT kind, ra, dec, true_flux, model FROM roman.injected_source")
    assert {row[0] for row in rows} == {"star", "galaxy"}
    assert all((row[4] is None) == (row[0] == "star") for row in rows)
    ra, dec = (np.array([row[k] for row in rows]) for k in (1, 2))
    projection = read_level2(exposures[0]).projection
    assert projection.inside(*projection.to_pixel(ra, dec)).all()
    assert execute(new_database, "SELECT count(*) FROM roman.injection_image i JOIN roman.injection_run "
                   "USING (injection_run_id) WHERE exposure_id IS NOT NULL") == [(2,)]  # fmt: skip


def within(radius):
    """Share of a star's light within some pixels, by the PSF of the optics on its fine grid."""
    psf = optical_psf("WFI07", "F146")
    offset = (np.arange(psf.size) - psf.size // 2) / psf.oversampling
    near = np.hypot(offset, offset[:, None]) < radius
    return float(psf.stamps[0, 0][near].sum() / psf.oversampling**2)


def test_the_light_is_where_and_as_much_as_the_catalog_says(new_database, survey, tmp_path):
    """Flux within a radius by the difference of the files, in nJy: independent of how it was drawn."""
    path = survey.exposures()[0]
    ra, dec = sky(path, [20.3, 50.8], [30.1, 40.6])
    flux = np.array([4e4, 8e4])
    catalog = table(tmp_path / "stars.ecsv", ra=ra, dec=dec, flux=flux)
    assert inject(tmp_path / "out", path, options=("--catalog", catalog)).code == 0
    inputs = execute(new_database, "SELECT role, path FROM ops.load_run_input ORDER BY role")
    assert inputs == [("catalog", str(catalog)), ("exposure", str(path))]
    output = next((tmp_path / "out").glob("*.asdf"))
    added = content(output)["data"].astype(float) - content(path)["data"]
    njy = read_level2(path).njy_per_unit
    rows, columns = np.indices(added.shape)
    for x, y, expected in ((20.3, 30.1, flux[0]), (50.8, 40.6, flux[1])):
        near = np.hypot(columns - x, rows - y) < 7
        assert added[near].sum() * njy == pytest.approx(expected * within(7.0), rel=0.04)
        centre = (added * columns)[near].sum() / added[near].sum()
        assert centre == pytest.approx(x, abs=0.3)


@pytest.mark.heavy
def test_the_same_again_replaces_and_is_the_same(new_database, survey, tmp_path):
    path = survey.exposures()[0]
    assert inject(tmp_path, path).code == 0
    output = next(tmp_path.glob("*.asdf"))
    first, sources = content(output), execute(new_database, "SELECT ra FROM roman.injected_source ORDER BY 1")
    assert inject(tmp_path, path).code == 0
    second = content(output)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    assert execute(new_database, "SELECT ra FROM roman.injected_source ORDER BY 1") == sources
    assert execute(new_database, "SELECT count(*) FROM roman.injection_run") == [(1,)]


@pytest.mark.heavy
def test_an_image_of_another_injection_is_not_written_over(new_database, survey, tmp_path):
    path = survey.exposures()[0]
    assert inject(tmp_path, path).code == 0
    outcome = inject(tmp_path, path, name="other")
    assert outcome.code == 1
    assert "is an image of the injection trial" in outcome.err
    assert execute(new_database, "SELECT name FROM roman.injection_run") == [("trial",)]
    counts = "state, n_expected, n_read, n_loaded, n_rejected"
    run = f"SELECT {counts} FROM ops.load_run ORDER BY load_run_id DESC LIMIT 1"
    assert execute(new_database, run) == [("succeeded", 31, 31, 0, 31)]


def test_rows_that_cannot_be_are_refused_and_counted(new_database, survey, tmp_path):
    path = survey.exposures()[0]
    ra, dec = sky(path, [20.0, 30.0, 40.0, 50.0, 150.0], [30.0] * 5)
    flux = np.array([1e4, np.nan, -5.0, 1e4, 1e4])
    dec[3] = 95.0
    catalog = table(tmp_path / "stars.ecsv", ra=ra, dec=dec, flux=flux)
    outcome = inject(tmp_path / "out", path, options=("--catalog", catalog))
    assert outcome.code == 1
    assert outcome.out.startswith(
        "6 images and sources read: 2 loaded (0 of them were there already), 4 rejected."
    )
    rows = execute(
        new_database, "SELECT source, row_number, code FROM ops.load_rejection ORDER BY row_number"
    )
    assert rows == [
        (str(catalog), 1, "bad_flux"),
        (str(catalog), 2, "bad_flux"),
        (str(catalog), 3, "bad_position"),
        (str(catalog), 4, "off_image"),
    ]


def test_files_that_cannot_be_used_do_not_stop_the_others(new_database, survey, tmp_path):
    good = survey.exposures()[0]
    other, text = survey.exposures("F087")[0], tmp_path / "text_cal.asdf"
    text.write_text("nothing")
    outcome = inject(tmp_path / "out", good, other, text, tmp_path / "missing.asdf", good)
    assert outcome.code == 1
    codes = execute(new_database, "SELECT code FROM ops.load_rejection ORDER BY load_rejection_id")
    assert [code for (code,) in codes] == [
        "other_optical_element",
        "not_asdf",
        "missing_file",
        "repeated_name",
    ]
    assert len(list((tmp_path / "out").glob("*.asdf"))) == 1


def test_an_image_with_artificial_sources_is_no_exposure(new_database, survey, tmp_path):
    """It is not loaded as one, and no more sources go on top."""
    assert inject(tmp_path, survey.exposures()[0]).code == 0
    output = next(tmp_path.glob("*.asdf"))
    outcome = roman_db("load", "exposure", output)
    assert outcome.code == 1
    assert "artificial sources were added to it in the injection trial" in outcome.err
    assert execute(new_database, "SELECT count(*) FROM roman.exposure") == [(0,)]
    again = inject(tmp_path / "more", output)
    assert "artificial sources were added to it before" in again.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Give one of --catalog, --random and --grid"),
        (("--random", 5), "Give --magnitudes with"),
        (("--random", 5, "--grid", 10, "--magnitudes", 20, 21), "Give one of"),
        (("--random", 5, "--magnitudes", 22, 20), "ascending order"),
        (("--grid", 1000, "--magnitudes", 20, 21), "spacing must be in"),
        (("--catalog", "nowhere.ecsv"), "no such file"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_a_line(new_database, survey, tmp_path, options, said):
    outcome = inject(tmp_path, survey.exposures()[0], options=options)
    assert outcome.code != 0
    assert said in outcome.err
    assert "Traceback" not in outcome.err


@pytest.fixture
def mosaic(survey, tmp_path):
    """A mosaic of the survey's exposures, in a folder with one of them."""
    folder = tmp_path / "mosaics"
    survey.copy(folder, survey.exposures()[:1])
    plan = tuple(p for p in plan_exposures(survey.scene.parameters.survey) if p.optical_element == "F146")
    model = simulate_level3(survey.scene, moffat_psf(), plan, MosaicGrid(0.055, 130, 110))
    write_product(folder / str(model.meta.filename), model)
    return folder / str(model.meta.filename)


@pytest.mark.heavy
def test_a_mosaic_gets_the_sources_too(new_database, survey, mosaic, tmp_path):
    with rdm.open(mosaic) as model:
        ra, dec = (float(value) for value in model.meta.wcs(65.0, 55.0))
    catalog = table(tmp_path / "stars.ecsv", ra=[ra], dec=[dec], flux=[5e4])
    outcome = inject(tmp_path / "out", mosaic, options=("--catalog", catalog))
    assert outcome.code == 0, outcome
    output = next((tmp_path / "out").glob("*_injectedcoadd.asdf"))
    with rdm.open(output) as model:
        model.validate()
        assert isinstance(model, rdm.MosaicModel)
    before, after = content(mosaic), content(output)
    added = after["data"].astype(float) - before["data"]
    area = np.radians(0.055 / 3600) ** 2
    rows, columns = np.indices(added.shape)
    near = np.hypot(columns - 65, rows - 55) < 14
    assert added[near].sum() * area * 1e15 == pytest.approx(5e4 * within(7.0), rel=0.04)
    assert (added * columns)[near].sum() / added[near].sum() == pytest.approx(65, abs=0.5)
    variance = after["err"].astype(float) ** 2 - before["err"].astype(float) ** 2
    lit = added > 0.2 * added.max()
    ratio = before["var_poisson"][lit] / before["data"][lit]
    assert np.median(variance[lit] / added[lit]) < np.median(ratio)
    assert execute(new_database, "SELECT level, exposure_id FROM roman.injection_image") == [(3, None)]


def test_a_mosaic_without_its_exposures_is_refused(new_database, mosaic, tmp_path):
    for path in mosaic.parent.glob("*_cal.asdf"):
        path.unlink()
    outcome = inject(tmp_path / "out", mosaic)
    assert outcome.code == 1
    assert "lies beside it, from which its PSF is known" in outcome.err


def test_a_grid_goes_into_exposures(new_database, survey, tmp_path):
    succeed("inject", survey.exposures()[0], "--grid", 12, "--magnitudes", 20, 20, "--output", tmp_path)
    assert execute(new_database, "SELECT n_source FROM roman.injection_run") == [(6 * 5,)]
