"""Mosaics as files: RAD knows them, others of our readers take them, and what is none is refused."""

import numpy as np
import pytest
import roman_datamodels
from astropy.time import Time

from loaders.field_mosaic.build import build_mosaic
from loaders.field_mosaic.product import (
    MosaicKeywords,
    read_small,
    remove_earlier,
    scratch_folder,
    write_mosaic,
)
from loaders.reference.build import Reference
from loaders.reference.product import ReferenceKeywords, write_reference
from loaders.rejection import Rejected
from loaders.static_catalog.mosaic import read_mosaic
from loaders.wfi.wcs import projection_of_wcs
from tests.loaders.eight_day import two_spans
from tests.loaders.field_mosaic.made_up import CENTRE, frame, reference, stars_in

START, END = Time("2027-03-01T06:00:00", scale="utc"), Time("2027-03-08T18:00:00", scale="utc")
FRAMES = [frame((-5.0, 0.0), 15.0, (80, 80)), frame((2.0, 1.0), 17.0, (80, 80))]


def write(path, one, exposure):
    """The file of a reference image with the keywords of an exposure."""
    made = Reference(one.frame, one.image, one.coefficient, np.ones(one.frame.shape), (), True)
    keywords = ReferenceKeywords("GBTDS_01", CENTRE, 1, 0, START, END, 100.0, ["a_cal.asdf"])
    write_reference(path, made, one.psf, exposure, keywords)
    return path


@pytest.fixture(scope="module")
def exposure(tmp_path_factory, pytestconfig):
    base = tmp_path_factory.getbasetemp()
    return two_spans.simulated(base.parent if hasattr(pytestconfig, "workerinput") else base).files[0]


@pytest.fixture(scope="module")
def written(exposure, tmp_path_factory):
    """A mosaic of two images, and its file."""
    folder = tmp_path_factory.mktemp("mosaic")
    stars = stars_in(FRAMES[0], [0.0], [0.0], [500.0])
    images = [reference(one, stars, sky=1.0 + k, seed=k) for k, one in enumerate(FRAMES)]
    files = [write(folder / f"{k}_reference.asdf", one, exposure) for k, one in enumerate(images)]
    path = folder / "r001_f146_s01_run7_mosaic.asdf"
    with scratch_folder(path) as scratch:
        mosaic = build_mosaic(images.__getitem__, FRAMES, CENTRE, scratch)
        kept = {name: np.array(getattr(mosaic.planes, name)) for name in ("data", "err", "context")}
        kept["variance"] = np.array(mosaic.planes.var_rnoise) + np.array(mosaic.planes.var_poisson)
        skies = [part.sky for part in mosaic.parts]
        keywords = MosaicKeywords(
            "GBTDS_01", 1, "F146", START, END, Time("2027-03-04T12:00:00"), 90.0, 100.0, files, skies
        )
        write_mosaic(path, mosaic, keywords, scratch)
    assert not list(folder.glob(".writing*"))
    return path, mosaic.grid, kept, skies


def test_rad_knows_it(written):
    path, grid, kept, skies = written
    with roman_datamodels.open(path) as model:
        assert model.validate() is None
        np.testing.assert_array_equal(model.data, kept["data"])
        np.testing.assert_array_equal(model.context, kept["context"])
        np.testing.assert_allclose(model.err**2, kept["variance"], rtol=1e-5)
        assert model.meta.filename == path.name
        assert model.meta.coadd_info.exposure_time == 90.0
        assert list(model.meta.resample.members) == ["0_reference.asdf", "1_reference.asdf"]
        assert list(model.meta["field_mosaic"]["sky"]) == pytest.approx(skies)
        assert model.meta.statistics.good_pixel_fraction == pytest.approx(np.isfinite(kept["data"]).mean())
        x, y = np.array([3.0, 50.0]), np.array([7.0, 20.0])
        np.testing.assert_allclose(model.meta.wcs(x, y), grid.to_sky(x, y), atol=1e-10)
        assert model.meta.wcsinfo.orientation == pytest.approx(0, abs=0.01)


def test_the_reader_of_static_catalogs_takes_it(written):
    """Its flux is in nJy a pixel, and its noise that of the file."""
    path, grid, kept, _ = written
    mosaic = read_mosaic(path)
    factor = grid.pixel_area * 1e15
    np.testing.assert_array_equal(mosaic.good, np.isfinite(kept["data"]))
    good = mosaic.good
    np.testing.assert_allclose(mosaic.data[good], kept["data"][good] * factor, rtol=1e-4)
    np.testing.assert_allclose(mosaic.variance[good], kept["variance"][good] * factor**2, rtol=1e-4)
    projection = projection_of_wcs(lambda: mosaic.wcs, grid.shape, path)
    x, y = projection.to_pixel(*FRAMES[0].to_sky(*(np.array([m]) for m in FRAMES[0].middle)))
    expected = grid.to_pixel(*FRAMES[0].to_sky(*(np.array([m]) for m in FRAMES[0].middle)))
    np.testing.assert_allclose([x, y], expected, atol=1e-4)


def test_small_is_the_mean_of_blocks(written):
    path, grid, kept, _ = written
    small, side = read_small(path, 20)
    assert max(small.shape) <= 20
    assert side == -(-max(grid.shape) // 20)
    ny, nx = small.shape
    for row, column in ((ny // 2, nx // 2), (ny // 2, 3), (0, 0)):
        cell = kept["data"][row * side : (row + 1) * side, column * side : (column + 1) * side]
        known = cell[np.isfinite(cell)]
        if known.size:
            assert small[row, column] == pytest.approx(float(known.mean()), rel=1e-5)
        else:
            assert np.isnan(small[row, column])
    assert np.isnan(small).any()
    whole, one = read_small(path, 10_000)
    assert one == 1
    np.testing.assert_array_equal(whole, kept["data"].astype(np.float64))


@pytest.mark.parametrize("content", [b"", b"#ASDF 1.0.0\n", b"no such thing"])
def test_what_is_no_mosaic_is_refused(tmp_path, content):
    path = tmp_path / "r001_mosaic.asdf"
    path.write_bytes(content)
    with pytest.raises(Rejected) as refused:
        read_small(path, 10)
    assert refused.value.code == "bad_mosaic"
    with pytest.raises(Rejected):
        read_small(tmp_path / "nothing.asdf", 10)


def test_what_attempts_left_that_were_killed_goes_with_the_next(tmp_path):
    path = tmp_path / "r001_f146_s01_run8_mosaic.asdf"
    left, foreign = tmp_path / ".writing-r001_f146_s01-abc", tmp_path / ".writing-r001_f087_s01-abc"
    for folder in (left, foreign):
        folder.mkdir()
        (folder / "image_0.npy").touch()
    with scratch_folder(path) as scratch:
        assert scratch.is_dir()
        assert not left.exists()
    assert not scratch.exists()
    assert foreign.exists()


def test_earlier_ones_go_and_others_stay(tmp_path):
    names = ("r001_f146_s01_run7", "r001_f146_s01_run8", "r001_f146_s02_run7", "r001_f087_s01_run7")
    for name in names:
        (tmp_path / f"{name}_mosaic.asdf").touch()
    remove_earlier(tmp_path / "r001_f146_s01_run8_mosaic.asdf")
    left = {path.name.removesuffix("_mosaic.asdf") for path in tmp_path.iterdir()}
    assert left == set(names[1:])
