"""Stars of a simulated exposure, measured without events and with them."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from loaders.astrometry.stars import catalog_pixels
from loaders.event_images.measure import WITH, WITHOUT, Scene, measure_events, star_pixels, with_light
from loaders.photometry.measure import measure_exposure
from loaders.photometry.options import FitOptions
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.wfi.level2 import read_level2
from tests.faults.survey import DETECTOR
from tests.loaders.event_images.catalog import catalog_of


@pytest.fixture(scope="module")
def psf():
    return optical_psf(DETECTOR, "F146", 1936, 2132, OpticsSettings(half_width=60))


@pytest.fixture(scope="module")
def seen(survey, psf):
    """An exposure, its catalog, and rows of stars well inside, one an event."""
    path = survey.exposures()[0]
    stars = catalog_of(survey)
    image = read_level2(path)
    x, y = catalog_pixels(image, stars.astrometry)
    inside = np.flatnonzero((x > 6) & (x < image.shape[1] - 7) & (y > 6) & (y < image.shape[0] - 7))
    return path, stars, image, inside


def scene_of(stars, psf, rows, seed=5):
    ra, dec = stars.astrometry.ra[rows], stars.astrometry.dec[rows]
    return Scene(stars, psf, FitOptions(threads=1), rows, ra, dec, seed)


@pytest.mark.heavy
def test_what_was_added_is_measured_within_the_errors(seen, psf):
    path, stars, _, rows = seen
    scene = scene_of(stars, psf, rows)
    light = np.full(rows.size, 3e4)
    found = measure_events(path, 1, light, scene)
    good = np.isfinite(found.flux).all(axis=0) & (found.flags[WITH] & 0xF == 0)
    assert good.sum() > 20
    np.testing.assert_array_equal(found.light[good], light[good])
    gain = (found.flux[WITH] - found.flux[WITHOUT])[good]
    # The same pixels were measured twice: but for weights, only the new photons are noise.
    new = np.sqrt(found.flux_err[WITH] ** 2 - found.flux_err[WITHOUT] ** 2)[good]
    assert np.median(gain / 3e4) == pytest.approx(1, abs=0.003)
    pull = (gain - 3e4) / new
    assert 0.6 < np.median(np.abs(pull)) / 0.6745 < 1.6
    assert np.abs(pull).max() < 6


@pytest.mark.heavy
def test_without_an_event_it_is_what_every_day_measures(seen, psf):
    path, stars, _, rows = seen
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    none = measure_events(path, 1, np.zeros(rows.size), scene_of(stars, psf, rows))
    daily = measure_exposure(path, 1, stars, psf, FitOptions(threads=1))
    at = np.searchsorted(daily.star, rows)
    for row in (WITHOUT, WITH):
        np.testing.assert_array_equal(none.flux[row], daily.flux[at])
        np.testing.assert_array_equal(none.flux_err[row], daily.flux_err[at])
        np.testing.assert_array_equal(none.flags[row], daily.flags[at])
    assert not none.light.any()
    lit = measure_events(path, 1, np.full(rows.size, 1e4), scene_of(stars, psf, rows))
    np.testing.assert_array_equal(lit.flux[WITHOUT], daily.flux[at])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_light_is_that_of_the_psf_at_the_star_and_no_other(seen, psf):
    """Its sum and its centre, of much light, against the star's place."""
    _, stars, image, rows = seen
    middle = rows[np.argmin(np.hypot(*(np.array(catalog_pixels(image, stars.astrometry))[:, rows].T - 32).T))]
    scene = scene_of(stars, psf, np.array([middle]))
    place = star_pixels(image, scene, np.array([0]), (float("nan"), float("nan")))
    lit = with_light(image, place, np.array([1e6]), scene, [1])
    added = lit.data.astype(float) - image.data
    within = np.hypot(*np.meshgrid(np.arange(72) - place[0][0], np.arange(64) - place[1][0])) < 20
    total = np.nansum(added[within]) * image.njy_per_unit
    assert 0.9e6 < total < 1e6
    y, x = np.mgrid[:64, :72]
    core = np.hypot(x - place[0][0], y - place[1][0]) < 6
    weight = np.where(core, np.nan_to_num(added), 0)
    assert (weight * x).sum() / weight.sum() == pytest.approx(place[0][0], abs=0.1)
    assert (weight * y).sum() / weight.sum() == pytest.approx(place[1][0], abs=0.1)
    measured = np.isfinite(image.err) & (image.err > 0) & (lit.err > 0)
    assert (lit.err[measured] >= image.err[measured] * (1 - 1e-6)).all()


def test_the_shift_of_all_stars_moves_the_light_too(seen, psf):
    _, stars, image, rows = seen
    scene = scene_of(stars, psf, rows)
    events = np.arange(rows.size)
    x, y = star_pixels(image, scene, events, (float("nan"), float("nan")))
    shifted = star_pixels(image, scene, events, (11.0, -7.0))
    ra, dec = image.projection.to_sky(x, y)
    new_ra, new_dec = image.projection.to_sky(*shifted)
    east = (new_ra - ra) * np.cos(np.radians(dec)) * 3.6e6
    np.testing.assert_allclose(east, 11.0, atol=0.05)
    np.testing.assert_allclose((new_dec - dec) * 3.6e6, -7.0, atol=0.05)


@pytest.mark.heavy
def test_the_same_seed_makes_the_same_photons_and_another_one_others(seen, psf):
    path, stars, _, rows = seen
    light = np.full(rows.size, 5e3)
    first, again, other = (
        measure_events(path, 1, light, scene_of(stars, psf, rows, seed)).flux[WITH] for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other)[np.isfinite(first)].mean() > 0.9


def test_a_star_that_is_not_in_the_catalog_is_not_measured(seen, psf):
    path, stars, _, rows = seen
    scene = replace(scene_of(stars, psf, rows[:2]), star=np.array([-1, rows[0]]))
    found = measure_events(path, 1, np.array([1e4, 1e4]), scene)
    assert np.isnan(found.flux[:, 0]).all()
    assert found.light.tolist() == [0.0, 1e4]
