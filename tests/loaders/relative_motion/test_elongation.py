"""Two PSFs fitted to simulated exposures of two stars that move apart."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from loaders.refined_photometry.exposures import Cutouts, PlacedPsf, SceneStars
from loaders.relative_motion.elongation import elongation_motion
from loaders.relative_motion.pair_fit import ElongationOptions, Pair
from loaders.relative_motion.psf_error import psf_patterns
from loaders.relative_motion.shares import Shares
from tests.loaders.refined_photometry.scenes import PIXEL, POISSON, READ, SKY, placed_psf, psf

SIDE = 13
HALF = SIDE // 2
TURNS = {0: np.diag([-1.0, 1.0]) / PIXEL, 1: np.diag([1.0, -1.0]) / PIXEL}
#: Julian year of the event.
T_0 = 2027.2


def late_exposures(rng, motion, share=0.3, total=60_000.0, n=24, stars=4, true=None, element="F146"):
    """Exposures of the fourth and fifth year after an event, in two orientations, neighbours beside it.

    ``true`` is the PSF with which they are made, that of the fit if None.
    """
    place = rng.uniform(-6, 6, (stars, 2)) * PIXEL
    place[np.hypot(*place.T) < 3 * PIXEL] *= 3.0
    place[0] = 0
    flux = np.append(total, rng.uniform(500, 8000, stars - 1))
    known = SceneStars(flux * rng.normal(1, 0.05, stars), np.full(stars, 0.5), np.zeros(stars, bool), 0)
    centre = rng.normal(0, 5, 2)
    pairs = []
    for turn, first, number in ((TURNS[0], 4.0, n // 2), (TURNS[1], 4.5, n - n // 2)):
        age = rng.uniform(first, first + 0.2, number)
        light = np.concatenate([flux[1:], [(1 - share) * total, share * total]])
        apart = np.asarray(motion) * age[:, None]
        both = centre + np.stack([-share * apart, (1 - share) * apart], axis=1)
        cutouts = _exposures(rng, (place, both, light), turn, age, true or placed_psf())
        pairs.append(Pair(cutouts, known, age, element))
    return pairs


def _exposures(rng, sky, turn, age, true):
    place, both, light = sky
    n = age.size
    data, x, y = np.empty((n, SIDE, SIDE)), np.empty((n, len(place))), np.empty((n, len(place)))
    for e in range(n):
        dither, shift = rng.uniform(-0.5, 0.5, 2), rng.normal(0, 0.01, 2)
        x[e], y[e] = (place @ turn.T + HALF + dither).T
        spots = np.concatenate([place[1:], both[e]]) @ turn.T + HALF + dither + shift
        data[e] = (light @ true.light(*spots.T, SIDE)[0]).reshape(SIDE, SIDE) + SKY
    noisy = data + rng.normal(size=data.shape) * np.sqrt(READ + POISSON * data)
    good = np.ones(data.shape, dtype=bool)
    return Cutouts(
        noisy.astype(np.float32), good, ~good, np.zeros(data.shape, np.float32), np.full(n, READ),
        np.full(n, POISSON), np.ones(data.shape, np.float32), x, y, np.repeat(turn[None], n, axis=0),
        np.zeros(n, np.int64), [placed_psf()], age,
    )  # fmt: skip


def shares(value=0.3, error=0.0):
    return Shares(("F146",), np.array([value]), np.array([[error**2]]))


#: The PSF of these scenes is known.
EXACT = ElongationOptions(psf_error=0.0)


def fitted(pairs, share=None, options=EXACT):
    return elongation_motion(pairs, share or shares(), T_0, 2, options)


def pull(found, motion):
    """Errors along two axes that are independent; of a motion whose sign is not known, the nearer one."""
    off = found.motion - motion
    if not found.sign_known:
        off = min(off, -found.motion - motion, key=np.linalg.norm)
    return np.linalg.cholesky(np.linalg.inv(found.covariance)).T @ off


def moving(rng, least, most):
    angle = rng.uniform(0, 2 * np.pi)
    return rng.uniform(least, most) * np.array([np.cos(angle), np.sin(angle)])


def spoiled_psf(rng, share):
    """The PSF off by a share of its light that changes over about a pixel, its standard deviation given."""
    known = psf()
    error = gaussian_filter(rng.normal(size=known.stamps.shape[2:]), 0.55 * known.oversampling, mode="wrap")
    off = replace(known, stamps=known.stamps * (1 + share * error / error.std()))
    return PlacedPsf.of(off, 0.0, 0.0, SIDE)


@pytest.mark.heavy
def test_pulls_of_injected_motions_are_about_one():
    rng = np.random.default_rng(3)
    pulls, reduced = [], []
    for _ in range(70):
        motion = moving(rng, 7, 10)
        found = fitted(late_exposures(rng, motion))
        assert found.status == "measured"
        pulls.append(pull(found, motion))
        reduced.append(found.reduced_chi2)
    # The width of 140 numbers is known to 6 per cent.
    assert 0.9 < np.std(pulls) < 1.1
    assert 0.95 < np.mean(reduced) < 1.05


@pytest.mark.heavy
def test_pulls_with_a_psf_that_is_off_in_all_exposures_alike():
    rng = np.random.default_rng(8)
    options = ElongationOptions(psf_error=0.004)
    pulls, trusting = [], []
    for number in range(70):
        motion = moving(rng, 7, 10)
        pairs = late_exposures(rng, motion, total=400_000.0, true=spoiled_psf(rng, 0.004))
        pulls.append(pull(fitted(pairs, options=options), motion))
        if number < 20:
            trusting.append(pull(fitted(pairs), motion))
    assert 0.9 < np.std(pulls) < 1.1
    # Who takes the PSF for known is off by several errors.
    assert np.std(trusting) > 1.5


@pytest.mark.heavy
def test_what_the_psf_costs_grows_with_the_exposures():
    """Counted as noise of each pixel it would cost the same share of the error of few and of many."""
    cost = {}
    for n in (20, 320):
        rng = np.random.default_rng(9)
        pairs = late_exposures(rng, (8.0, 3.0), total=400_000.0, n=n, stars=1)[:1]
        of = [fitted(pairs, options=ElongationOptions(psf_error=one)).covariance for one in (0.004, 0.0)]
        cost[n] = np.sqrt(np.trace(of[0]) / np.trace(of[1]))
    assert cost[320] > 1.25 * cost[20] > 1.25


def test_patterns_of_the_psf_have_one_variance_everywhere():
    rng = np.random.default_rng(10)
    x, y = rng.uniform(-1.8, 1.8, (2, 1, 500))
    patterns = psf_patterns(np.ones((1, 500)), x, y)
    assert (patterns**2).sum(axis=0) == pytest.approx(1.0)


def test_elements_count_together():
    rng = np.random.default_rng(11)
    both = Shares(("F087", "F146"), np.array([0.15, 0.3]), np.zeros((2, 2)))
    red = late_exposures(rng, (8.0, 3.0))
    blue = late_exposures(rng, (8.0, 3.0), share=0.15, element="F087")
    found, alone = fitted(blue + red, both), fitted(red)
    assert (found.optical_elements, found.n_exposure, found.share) == (("F087", "F146"), 48, (0.3, 0.0))
    assert np.trace(found.covariance) < np.trace(alone.covariance)
    assert np.hypot(*pull(found, np.array([8.0, 3.0]))) < 3.5


@pytest.mark.heavy
def test_a_pixel_that_was_hit_is_left_out():
    pairs = late_exposures(np.random.default_rng(12), (8.0, 3.0))
    clean = fitted(pairs)
    for pair in pairs:
        pair.cutouts.data[0, HALF, HALF + 1] += 50_000
    hit = fitted(pairs)
    assert hit.motion == pytest.approx(clean.motion, abs=np.sqrt(clean.covariance[0, 0]))
    assert hit.reduced_chi2 < 1.2


@pytest.mark.heavy
def test_one_star_is_not_drawn_out():
    rng = np.random.default_rng(4)
    found = [fitted(late_exposures(rng, (0.0, 0.0))).status for _ in range(6)]
    assert found.count("consistent_with_zero") >= 5


def test_sides_are_told_where_one_star_is_brighter():
    rng = np.random.default_rng(5)
    bright = fitted(late_exposures(rng, (12.0, 4.0), 0.2, 300_000.0), shares(0.2))
    assert bright.sign_known
    assert bright.motion == pytest.approx([12.0, 4.0], abs=0.5)
    alike = fitted(late_exposures(rng, (12.0, 4.0), 0.5, 300_000.0), shares(0.5))
    assert not alike.sign_known
    assert np.abs(alike.motion) == pytest.approx([12.0, 4.0], abs=0.5)


def test_the_error_of_the_share_counts():
    pairs = late_exposures(np.random.default_rng(6), (10.0, 0.0), 0.2, 300_000.0)
    sharp, dull = fitted(pairs, shares(0.2)), fitted(pairs, shares(0.2, 0.02))
    # The light is drawn out as f (1 - f) mu²: d ln mu = - (1 - 2 f) / (2 f (1 - f)) df, 3.75 % of 10 mas/yr.
    more = np.sqrt(dull.covariance[0, 0] - sharp.covariance[0, 0])
    assert more == pytest.approx(0.375, rel=0.25)


def test_too_few_exposures_say_nothing():
    found = fitted(late_exposures(np.random.default_rng(7), (9, 0), n=8))
    assert (found.status, found.motion) == ("few_epochs", None)


def test_pixels_none_of_which_count_are_no_fit():
    pairs = late_exposures(np.random.default_rng(7), (9, 0))
    for pair in pairs:
        pair.cutouts.usable[:] = False
    assert fitted(pairs).status == "fit_failed"
