"""The flux scale of an exposure by its stars: scales that were given, stars that vary, few stars and none."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.photometry.parallel import Workers
from loaders.reference.members import first_state, pixels_of
from loaders.reference.registration import base_of, register
from loaders.reference.star_scale import star_light, territories
from tests.loaders.reference.scenes import SIDE, Pointing, Sky, build, dithers, stars

COUNT = 27
ECLIPSED = range(2, COUNT, 9)
"""Exposures in which a star is in eclipse: too few for its place to be contested."""
DEPTH = 0.37


def crowd(seed=1):
    """Stars at 0.045 a pixel; the one nearest to the middle has as much light as a third of all."""
    sky = stars(0.045, seed=seed)
    star = int(np.argmin(np.hypot(sky.x - SIDE / 2, sky.y - SIDE / 2)))
    flux = sky.flux.copy()
    flux[star] = 0.5 * (flux.sum() - flux[star])
    return replace(sky, flux=flux), star


def dimmed(sky, dark, pointings, which=ECLIPSED):
    """Exposures of a sky in some of which some stars are in eclipse."""
    exposures = []
    for k, pointing in enumerate(pointings):
        flux = sky.flux.copy()
        flux[dark] *= 1 - DEPTH * (k in which)
        exposures.append(sky.exposure(pointing, 100 + k, flux))
    return exposures


def scales(members):
    return np.array([[one.scale, one.scale_err] for one in members]).T


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_eclipse_of_the_brightest_star_moves_no_scale(seed):
    sky, star = crowd(seed)
    pointings = dithers(COUNT)
    found, error = scales(build(dimmed(sky, star, pointings)).members)
    constant, _ = scales(build(dimmed(sky, star, pointings, ())).members)
    assert np.std(found) < 2 * np.median(error)
    assert np.std(found) < 1.5 * np.std(constant) + 2e-4
    eclipsed = list(ECLIPSED)
    assert np.abs((found - 1) / error)[eclipsed].max() < 4


def test_two_bright_stars_and_an_event_move_none():
    sky, star = crowd()
    other = int(np.argmin(np.hypot(sky.x - 12, sky.y - 34)))
    flux = sky.flux.copy()
    flux[other] = flux[star] / 2
    sky = replace(sky, flux=flux)
    exposures = dimmed(sky, [star, other], dithers(COUNT))
    event = int(np.argmin(np.hypot(sky.x - 36, sky.y - 12)))
    for k, gain in ((9, 3.0), (10, 8.0), (11, 3.0)):
        flux = sky.flux.copy()
        flux[event] *= gain
        exposures[k] = sky.exposure(dithers(COUNT)[k], 100 + k, flux)
    found, error = scales(build(exposures).members)
    assert np.abs((found - 1) / error).max() < 4


def test_a_scale_that_did_change_is_found_beside_a_star_that_varies():
    """Two in a hundred, of one exposure in which the star is in eclipse and of one in which it is not."""
    sky, star = crowd()
    wanted = np.ones(COUNT)
    wanted[[2, 5]] = 1.02
    pointings = [replace(one, scale=s) for one, s in zip(dithers(COUNT), wanted, strict=True)]
    found, _ = scales(build(dimmed(sky, star, pointings)).members)
    np.testing.assert_allclose(found[[2, 5]], 1.02 / wanted.mean(), atol=0.006)
    assert np.abs(found - wanted / wanted.mean()).max() < 0.006


@pytest.fixture(scope="module")
def laid():
    """A reference of constant stars, and what lays further exposures on it."""
    sky, star = crowd()
    reference = build([sky.exposure(one, k) for k, one in enumerate(dithers(40))])
    workers = Workers(1)
    base = base_of(reference.coefficient, 2, reference.members, workers)

    def lay(exposure):
        member = first_state(exposure, reference.frame)
        return register(base, pixels_of(exposure, member), (0.0, 0.0), workers)

    return sky, star, lay


@pytest.mark.parametrize("scale", [0.85, 0.98, 1.0, 1.02, 1.3])
def test_errors_of_scales_are_as_claimed(laid, scale):
    sky, star, lay = laid
    pulls = []
    for k, pointing in enumerate(dithers(20, seed=8)):
        flux = sky.flux.copy()
        flux[star] *= 1 - DEPTH * (k % 2)
        found = lay(sky.exposure(replace(pointing, scale=scale), 900 + k, flux))
        pulls.append((found.scale - scale) / found.scale_err)
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 1.6


def test_saturated_stars_and_hits_do_not_tell(laid):
    sky, _, lay = laid
    rng = np.random.default_rng(4)
    for k, pointing in enumerate(dithers(10, seed=9)):
        exposure = sky.exposure(pointing, 700 + k)
        exposure.image.usable[exposure.image.data > 100] = False
        hit = tuple(rng.integers(0, SIDE, (2, 8)))
        exposure.image.data[hit] += rng.uniform(20, 2000, 8)
        found = lay(exposure)
        assert abs(found.scale - 1) < 4 * found.scale_err
        assert found.scale_err < 0.02


def test_a_psf_that_is_somewhat_wider_hardly_changes_the_scale(laid):
    """Two halves of each star 0.3 pixels apart: they are 1.4 % wider along x."""
    sky, _, lay = laid
    x = np.concatenate([sky.x - 0.15, sky.x + 0.15])
    wide = replace(sky, x=x, y=np.tile(sky.y, 2), flux=np.tile(sky.flux / 2, 2))
    found = lay(wide.exposure(Pointing(0.3, -0.7), 5))
    assert found.scale == pytest.approx(1, abs=0.01)


@pytest.mark.heavy
@pytest.mark.parametrize("count", [0, 1, 2])
def test_where_few_stars_are_the_scale_stays_and_no_error_is_claimed(count):
    """A star that fades alone is a star that fades: nothing says that the exposure did."""
    flux = np.where(np.arange(2) < count, 800.0, 1e-3)
    sky = Sky(np.array([24.0, 10.0]), np.array([20.0, 34.0]), flux)
    exposures = dimmed(sky, slice(None), dithers(16), range(0, 16, 5))
    members = build(exposures).members
    assert [one.scale for one in members] == [1.0] * 16
    assert np.isnan([one.scale_err for one in members]).all()
    assert max(one.n_scale_star for one in members) <= count


@pytest.mark.heavy
def test_of_a_handful_of_stars_one_may_vary():
    sky = Sky(np.array([24.0, 10, 38, 12, 35]), np.array([24.0, 11, 9, 37, 36]), np.full(5, 500.0))
    sky.flux[0] = 5000.0
    members = build(dimmed(sky, 0, dithers(COUNT))).members
    found, error = scales(members)
    assert np.abs(found - 1).max() < 0.03
    assert np.nanmax(np.abs((found - 1) / error)) < 5


def test_each_place_belongs_to_the_star_whose_light_is_there():
    """Light of two stars far from others, with a speckle in the wings of the brighter one."""
    y, x = np.indices((60, 60)).astype(float)
    coefficient = np.zeros((60, 60))
    for row, column, peak in ((20, 20, 1000.0), (40, 44, 50.0), (20, 26, 5.0)):
        coefficient += peak * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 2)
    with Workers(1) as workers:
        found = territories(coefficient, 1, 1.0, workers)
    assert found.count == 2
    assert found.owner[20, 20] == found.owner[20, 26] == 0
    assert found.owner[40, 44] == 1
    assert found.owner[59, 0] == -1


@pytest.mark.heavy
def test_a_star_beside_one_that_varies_keeps_its_light():
    """Its own level takes up the wings of the neighbour."""
    sky, star = crowd()
    reference = build([sky.exposure(one, None) for one in dithers(40)])
    flux = sky.flux.copy()
    flux[star] *= 1 - DEPTH
    exposure = sky.exposure(Pointing(0.2, 0.1), None, flux)
    pixels = pixels_of(exposure, first_state(exposure, reference.frame))
    with Workers(1) as workers:
        base = base_of(reference.coefficient, 2, reference.members, workers)
        light = star_light(base.coefficient, pixels, base.stars, workers)
    told = np.isfinite(light.ratio) & (light.error < 0.02)
    assert told.sum() > 15
    # The brightest is number 0: it shows what it lost, and hardly any other does.
    assert light.ratio[0] == pytest.approx(1 - DEPTH, abs=0.02)
    assert np.mean(np.abs(light.ratio[told] - 1) < 0.02) > 0.8
