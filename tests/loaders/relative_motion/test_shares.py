"""Shares of light and their errors, against draws."""

import numpy as np
import pytest

from loaders.relative_motion.shares import shares_of

FLUX = {
    ("F146", 1): (1000.0, 40.0),
    ("F146", 0): (500.0, 40.0),
    ("F087", 1): (600.0, 25.0),
    ("F087", 0): (100.0, 25.0),
}


def test_errors_are_those_of_draws():
    names = ["t_E", "F146_1", "F146_0", "F087_1", "F087_0"]
    # The model does not know how bright the source is; what both have together it knows.
    turn = np.array([[1.0, 30, -30, 18, -18], [0, 2, 2, 0, 0], [0, 0, 0, 3, 3], [0, 0, 1, 0, 0]])
    covariance = turn.T @ turn
    got = shares_of(FLUX, names, covariance)
    assert got.elements == ("F087", "F146")
    np.testing.assert_allclose(got.value, [1 / 7, 1 / 3])
    mean = np.array([20, *(FLUX[one][0] for one in FLUX)])
    draws = np.random.default_rng(1).multivariate_normal(mean, covariance, 200_000)
    share = np.stack([draws[:, 4] / draws[:, 3:].sum(axis=1), draws[:, 2] / draws[:, 1:3].sum(axis=1)])
    np.testing.assert_allclose(got.covariance, np.cov(share), rtol=0.02)
    value, of_value = got.difference
    np.testing.assert_allclose(value, [1 / 7 - 1 / 3])
    np.testing.assert_allclose(of_value, [[np.var(share[0] - share[1])]], rtol=0.02)
    assert got.is_bright
    assert got.has_colour


def test_without_covariance_the_baseline_is_known():
    got = shares_of(FLUX)
    np.testing.assert_allclose(np.sqrt(np.diag(got.covariance)), [25 / 700, 40 / 1500])


@pytest.mark.parametrize(("blend", "bright", "colour"), [(100.0, False, False), (500.0, True, False)])
def test_faint_and_grey_blends(blend, bright, colour):
    flux = {
        (name, number): (one, 40.0) for name in ("F146", "F213") for number, one in ((1, 1000.0), (0, blend))
    }
    got = shares_of(flux)
    assert (got.is_bright, got.has_colour) == (bright, colour)


def test_there_is_none_without_the_main_element():
    assert shares_of({key: one for key, one in FLUX.items() if key[0] == "F087"}) is None
