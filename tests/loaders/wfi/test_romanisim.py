"""What the files of the official simulator are known to contain; skipped where they are absent."""

from __future__ import annotations

import asdf
import galsim
import galsim.roman
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import get_body_barycentric
from astropy.time import Time

from loaders.wfi.footprint import footprint
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.quality import SATURATED, usable_pixels
from loaders.wfi.times import mjd_tdb, observatory


@pytest.fixture(scope="module")
def image(romanisim_files) -> Level2Image:
    return read_level2(romanisim_files[0])


@pytest.fixture(scope="module")
def truth(romanisim_files) -> dict[str, np.ndarray]:
    table = pq.read_table(romanisim_files[0].parent / "truth.parquet")
    return {name: table[name].to_numpy() for name in ("ra", "dec", "x0_true", "y0_true", "F146_mag")}


def test_identity_comes_from_the_name(romanisim_files):
    for number, path in enumerate(romanisim_files, 1):
        metadata = read_level2(path).metadata
        assert (metadata.visit_id, metadata.exposure) == ("0000101001001001001", number)
        assert (metadata.detector, metadata.optical_element) == ("WFI07", "F146")


def test_cadence_is_twelve_minutes(romanisim_files):
    starts = [read_level2(path).metadata.exposure_start_time for path in romanisim_files]
    assert np.allclose([step.total_seconds() for step in np.diff(starts)], 12.1 * 60, atol=1)


def test_calibration_is_negative_in_the_file(image):
    assert image.metadata.conversion_megajanskys < 0
    assert image.metadata.pixel_area < 0
    assert image.njy_per_unit > 0
    assert image.projection.pixel_area == pytest.approx(-image.metadata.pixel_area, rel=1e-4)


def test_projection_finds_the_stars_where_they_were_drawn(image, truth):
    """The WCS is labelled FK5 but must be read as ICRS: the frames differ by 0.2 pixels here."""
    x, y = image.projection.to_pixel(truth["ra"], truth["dec"])
    assert np.abs(x - truth["x0_true"]).max() < 1e-8
    assert np.abs(y - truth["y0_true"]).max() < 1e-8


def test_inverse_of_the_wcs(image, romanisim_files):
    x, y = np.random.default_rng(1).uniform(-100, 699, (2, 170_000))
    with asdf.open(romanisim_files[0]) as file:
        ra, dec = file["roman"]["meta"]["wcs"](x, y, with_bounding_box=False)
    back = image.projection.to_pixel(ra, dec)
    assert np.abs(np.stack(back) - [x, y]).max() < 3e-9


def test_footprint_is_that_of_the_window_not_of_the_detector(image):
    area = np.diff(footprint(image.projection, 17)).sum() / (12 * 4.0**29) * 4 * np.pi
    # The file's s_region is that of the whole detector, 46 times as large.
    assert 1 < area / (image.projection.pixel_area * 600 * 600) < 1.1


def test_bright_stars_are_flagged_saturated_but_measured(image):
    flagged = (image.dq & SATURATED) > 0
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    assert 1000 < flagged.sum() < 3000
    assert 0.9 < usable[flagged].mean() < 1
    assert usable[~flagged].all()
    assert (image.err[flagged & ~usable] == 0).all()


def test_ephemeris_is_the_earths(image):
    metadata = image.metadata
    earth = get_body_barycentric("earth", Time(metadata.ephemeris_time, format="mjd")).xyz.to_value("km")
    assert np.abs(earth - [metadata.spatial_x, metadata.spatial_y, metadata.spatial_z]).max() < 1
    place = observatory(metadata, mjd_tdb(metadata.exposure_mid_time))
    assert place.source == "sun_earth_l2"


def growth(image: np.ndarray, x: float, y: float) -> float:
    """Sum within 7 pixels of a star, less the mean between 12 and 18 pixels."""
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    distance = np.hypot(columns - x, rows - y)
    inner, ring = distance < 7, (distance > 12) & (distance < 18)
    return float(image[inner].sum() - image[ring].mean() * inner.sum())


def galsim_growth() -> float:
    """The same for a star of unit flux with GalSim's PSF, which romanisim draws with."""
    wavelength = galsim.roman.getBandpass("W146").effective_wavelength
    optics = galsim.roman.getPSF(7, "W146", pupil_bin=8, wavelength=wavelength)
    profile = galsim.Convolve(optics, galsim.Pixel(galsim.roman.pixel_scale))
    stamp = profile.drawImage(nx=101, ny=101, scale=galsim.roman.pixel_scale, method="no_pixel")
    return growth(stamp.array, 50, 50)


def test_flux_scale_is_that_of_the_truth(image, truth):
    """Aperture sums of bright stars against the AB magnitudes of all stars around them."""
    flux = 10 ** (-0.4 * (truth["F146_mag"] - 31.4))
    x, y = truth["x0_true"], truth["y0_true"]
    inside = (x > 30) & (x < 570) & (y > 30) & (y < 570)
    bright = np.flatnonzero((truth["F146_mag"] > 16) & (truth["F146_mag"] < 17) & inside)
    ratios = []
    for k in bright:
        distance = np.hypot(x - x[k], y - y[k])
        if flux[(distance < 25) & (distance > 0)].max() > 0.3 * flux[k]:
            continue
        ring = (distance > 12) & (distance < 18)
        expected = flux[distance < 7].sum() - flux[ring].sum() * 7**2 / (18**2 - 12**2)
        ratios.append(growth(image.data, x[k], y[k]) * image.njy_per_unit / expected)
    assert len(ratios) > 10
    assert np.median(ratios) == pytest.approx(galsim_growth(), rel=0.01)
