"""Two PSFs fitted to simulated exposures of two stars that move apart."""

import numpy as np
import pytest

from loaders.refined_photometry.exposures import Cutouts, SceneStars
from loaders.relative_motion.elongation import ElongationOptions, Pair, elongation_motion
from tests.loaders.refined_photometry.scenes import HALF, PIXEL, POISSON, READ, SIDE, SKY, placed_psf

TURNS = {0: np.diag([-1.0, 1.0]) / PIXEL, 1: np.diag([1.0, -1.0]) / PIXEL}


def late_exposures(rng, motion, share=0.3, total=60_000.0, n=24, stars=4):
    """Exposures of the fourth to fifth year after an event, in two orientations, neighbours beside it."""
    age = np.concatenate([rng.uniform(4.0, 4.2, n // 2), rng.uniform(4.5, 4.7, n - n // 2)])
    place = rng.uniform(-8, 8, (stars, 2)) * PIXEL
    place[np.hypot(*place.T) < 3 * PIXEL] *= 3.0
    place[0] = 0
    flux = np.append(total, rng.uniform(500, 8000, stars - 1))
    centre = rng.normal(0, 5, 2)
    data, x, y = np.empty((n, SIDE, SIDE)), np.empty((n, stars)), np.empty((n, stars))
    turns = np.stack([TURNS[int(one > 4.4)] for one in age])
    for e in range(n):
        dither, shift = rng.uniform(-0.5, 0.5, 2), rng.normal(0, 0.01, 2)
        x[e], y[e] = (place @ turns[e].T + HALF + dither).T
        apart = np.asarray(motion) * age[e]
        both = centre + np.array([-share * apart, (1 - share) * apart])
        spots = np.concatenate([place[1:], both]) @ turns[e].T + HALF + dither + shift
        light = np.concatenate([flux[1:], [(1 - share) * total, share * total]])
        data[e] = (light @ placed_psf().light(*spots.T, SIDE)[0]).reshape(SIDE, SIDE) + SKY
    noisy = data + rng.normal(size=data.shape) * np.sqrt(READ + POISSON * data)
    good = np.ones(data.shape, dtype=bool)
    cutouts = Cutouts(
        noisy.astype(np.float32), good, ~good, np.zeros(data.shape, np.float32), np.full(n, READ),
        np.full(n, POISSON), np.ones(data.shape, np.float32), x, y, turns, np.zeros(n, np.int64),
        [placed_psf()], age,
    )  # fmt: skip
    known = SceneStars(flux * rng.normal(1, 0.05, stars), np.full(stars, 0.5), np.zeros(stars, bool), 0)
    return Pair(cutouts, known, age, share)


#: The PSF of these scenes is known.
EXACT = ElongationOptions(psf_error=0.0)


def test_pulls_of_injected_motions_are_about_one():
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(24):
        angle = rng.uniform(0, 2 * np.pi)
        motion = rng.uniform(7, 10) * np.array([np.cos(angle), np.sin(angle)])
        found = elongation_motion(late_exposures(rng, motion), 2031.4, 2, "F146", EXACT)
        assert found.status == "measured"
        off = found.motion - motion
        if not found.sign_known:
            off = min(off, -found.motion - motion, key=np.linalg.norm)
        pulls.append(np.linalg.cholesky(np.linalg.inv(found.covariance)).T @ off)
    # The width of 48 numbers is known to 10 per cent.
    assert 0.75 < np.std(pulls) < 1.25
    assert 0.9 < found.reduced_chi2 < 1.1


def test_one_star_is_not_drawn_out():
    rng = np.random.default_rng(4)
    found = [
        elongation_motion(late_exposures(rng, (0.0, 0.0)), 2031.4, 2, "F146", EXACT).status for _ in range(6)
    ]
    assert found.count("consistent_with_zero") >= 5


def test_sides_are_told_where_one_star_is_brighter():
    rng = np.random.default_rng(5)
    bright = elongation_motion(late_exposures(rng, (12.0, 4.0), 0.2, 300_000.0), 2031.4, 2, "F146", EXACT)
    assert bright.sign_known
    assert bright.motion == pytest.approx([12.0, 4.0], abs=0.5)
    alike = elongation_motion(late_exposures(rng, (12.0, 4.0), 0.5, 300_000.0), 2031.4, 2, "F146", EXACT)
    assert not alike.sign_known
    assert np.abs(alike.motion) == pytest.approx([12.0, 4.0], abs=0.5)


def test_the_error_of_the_share_counts():
    pair = late_exposures(np.random.default_rng(6), (10.0, 0.0), 0.2, 300_000.0)
    sharp = elongation_motion(pair, 2031.4, 2, "F146", EXACT)
    dull = elongation_motion(Pair(pair.cutouts, pair.stars, pair.age, 0.2, 0.02), 2031.4, 2, "F146", EXACT)
    # The light is drawn out as f (1 - f) mu²: d ln mu = - (1 - 2 f) / (2 f (1 - f)) df, 3.75 % of 10 mas/yr.
    more = np.sqrt(dull.covariance[0, 0] - sharp.covariance[0, 0])
    assert more == pytest.approx(0.375, rel=0.25)


def test_too_few_exposures_say_nothing():
    found = elongation_motion(late_exposures(np.random.default_rng(7), (9, 0), n=8), 2031.4, 1, "F146")
    assert (found.status, found.motion) == ("few_epochs", None)
