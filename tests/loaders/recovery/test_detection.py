"""Completeness of a detection that is not ours: photutils, in images with artificial stars and without."""

from dataclasses import replace

import numpy as np
import pytest
from photutils.detection import DAOStarFinder

from loaders.injection.inject import Measurement, inject
from loaders.recovery.match import MatchOptions, MeasuredSources, Origin, match
from tests.loaders.injection.scenes import NJY_PER_UNIT, SKY, dark_sky, stars_at, view

SHAPE, FWHM = (420, 420), 1.9
NOISE = np.sqrt(SKY / (1.8 * 63) + 0.0025)


def detections(pixels, seen):
    """Stars of photutils; fluxes are those in a disk, over the share of the light that a star has in it."""
    found = DAOStarFinder(threshold=5 * NOISE, fwhm=FWHM)(pixels.data - SKY)
    names = ("x_centroid", "y_centroid") if "x_centroid" in found.colnames else ("xcentroid", "ycentroid")
    x, y = (np.asarray(found[name], float) for name in names)
    rows, columns = np.indices(pixels.data.shape)
    flux = np.empty(x.size)
    for k in range(x.size):
        part = np.s_[max(int(y[k]) - 4, 0) : int(y[k]) + 6, max(int(x[k]) - 4, 0) : int(x[k]) + 6]
        near = np.hypot(columns[part] - x[k], rows[part] - y[k]) < 2.5
        flux[k] = (pixels.data[part][near] - SKY).sum() / 0.88 * NJY_PER_UNIT
    error = np.full(x.size, NOISE * np.sqrt(20) * NJY_PER_UNIT)
    return MeasuredSources(*seen.projection.to_sky(x, y), flux, error)


@pytest.fixture(scope="module")
def tried():
    """A sky with stars of its own, artificial stars on top, and what was found of them."""
    seen, rng = view(SHAPE), np.random.default_rng(3)
    sky = dark_sky(SHAPE)
    own = stars_at(seen, *rng.uniform(5, 415, (2, 150)), 10 ** rng.uniform(1, 3, 150))
    inject(sky, seen, own, Measurement(seed=1))
    before = detections(sky, seen)
    x, y = (axis.ravel() for axis in np.meshgrid(*[np.arange(12.0, 410, 14)] * 2))
    flux = 10 ** rng.uniform(-0.5, 3, x.size)
    stars = stars_at(seen, x + rng.uniform(-1, 1, x.size), y + rng.uniform(-1, 1, x.size), flux)
    both = replace(sky, data=sky.data.copy())
    inject(both, seen, stars, Measurement(seed=2))
    after = detections(both, seen)
    return stars, flux, match(stars, after, before, MatchOptions(radius=0.11)), before


def test_bright_stars_are_found_and_faint_ones_are_not(tried):
    _, flux, found, _ = tried
    bins = ((0.3, 1), (2, 6), (30, 1000))
    shares = [found.is_detected[(flux >= low) & (flux < high)].mean() for low, high in bins]
    assert shares[0] < 0.1
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.95


def test_the_stars_of_the_sky_are_no_recoveries(tried):
    _, _, found, before = tried
    was_there = (found.origin == Origin.BEFORE).sum()
    # Some fall together with brighter artificial ones, and are one detection.
    assert 0.8 * before.ra.size <= was_there <= before.ra.size
    assert (found.origin == Origin.INJECTED).sum() == found.is_detected.sum()


def test_few_detections_are_spurious(tried):
    _, _, found, _ = tried
    assert (found.origin == Origin.SPURIOUS).sum() < 0.05 * found.origin.size
