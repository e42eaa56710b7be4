"""Normal equations against a dense least-squares problem of scipy's splines, and added against taken out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from loaders.photometry.parallel import Workers
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.wfi.placement import fit_placement

SIDE, FRAME = 20, (48, 53)


def exposure(seed, shift=(0.0, 0.0), angle=0.0, side=SIDE):
    """Random pixels, some of no weight, turned about the middle of the frame."""
    rng = np.random.default_rng(seed)
    c, s, h = np.cos(np.radians(angle)), np.sin(np.radians(angle)), (side - 1) / 2

    def to_frame(x, y):
        u, v = 2 * (c * (x - h) - s * (y - h)), 2 * (s * (x - h) + c * (y - h))
        return u + FRAME[1] / 2 + shift[0] + 1e-3 * (x - h) ** 2, v + FRAME[0] / 2 + shift[1]

    value = rng.normal(size=(side, side)).astype(np.float32)
    weight = np.where(rng.random((side, side)) < 0.1, 0, rng.uniform(1, 3, (side, side))).astype(np.float32)
    return ExposurePixels(value, weight, fit_placement(to_frame, (0, 0), (side - 1, side - 1)))


def added(*exposures, threads=1):
    with Workers(threads) as workers:
        equations = NormalEquations(FRAME, workers)
        for one in exposures:
            equations.add(one)
        return equations


def design(one):
    """Weights of all coefficients in every pixel, shape (n_pixel, rows columns), by scipy."""
    y, x = (grid.ravel().astype(float) for grid in np.indices(one.value.shape))
    u, v = one.place(x, y)
    along = [
        BSpline.design_matrix(np.clip(at, 1, n - 2), np.arange(-2.0, n + 2.0), 3).toarray()
        for at, n in ((u, FRAME[1]), (v, FRAME[0]))
    ]
    inside = (u >= 1) & (u < FRAME[1] - 2) & (v >= 1) & (v < FRAME[0] - 2)
    return inside[:, None] * np.einsum("nv,nu->nvu", along[1], along[0]).reshape(x.size, -1)


@pytest.mark.parametrize("angle", [0.0, 10.0, 90.0, 180.0])
def test_the_sums_are_those_of_the_least_squares_problem(angle):
    one = exposure(1, (1.3, -0.7), angle)
    equations = added(one)
    matrix = design(one)
    weight = one.weight.ravel().astype(float)
    vector = np.random.default_rng(2).normal(size=FRAME)
    wanted = matrix.T @ (weight * (matrix @ vector.ravel()))
    got = equations._apply(vector, (0.0, 0.0))
    np.testing.assert_allclose(got.ravel(), wanted, atol=1e-5 * np.abs(wanted).max())
    right = matrix.T @ (weight * one.value.ravel())
    np.testing.assert_allclose(equations._right.ravel(), right, atol=1e-5 * np.abs(right).max())
    assert equations.weight.sum() == pytest.approx(float((weight * matrix.any(axis=1)).sum()), rel=1e-5)


def second_differences(n):
    """Sum of squares of second differences of a vector that is zero beyond its ends, as a matrix."""
    rows = [np.convolve(row, [1.0, -2.0, 1.0]) for row in np.eye(n)]
    return np.array(rows) @ np.array(rows).T


def test_the_solution_is_that_of_the_smoothed_least_squares_problem():
    exposures = [exposure(k, np.random.default_rng(k).uniform(-2, 2, 2)) for k in range(4)]
    equations = added(*exposures)
    matrix = np.concatenate([design(one) for one in exposures])
    weight = np.concatenate([one.weight.ravel() for one in exposures]).astype(float)
    value = np.concatenate([one.value.ravel() for one in exposures])
    normal = matrix.T @ (weight[:, None] * matrix)
    filled = np.diag(normal)[np.diag(normal) > 0]
    rough = 1e-4 * filled.mean()
    normal += rough * np.kron(second_differences(FRAME[0]), np.eye(FRAME[1]))
    normal += rough * np.kron(np.eye(FRAME[0]), second_differences(FRAME[1]))
    normal += 0.01 * rough * np.eye(len(normal))
    wanted = np.linalg.solve(normal, matrix.T @ (weight * value))
    got = equations.solve(tolerance=1e-7, steps=2000).ravel()
    np.testing.assert_allclose(got, wanted, atol=2e-3 * np.abs(wanted).max())


@settings(max_examples=15, deadline=None)
@given(
    shift=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    angle=st.floats(-180, 180),
    side=st.integers(1, 70),
)
def test_what_is_added_and_taken_out_was_never_there(shift, angle, side):
    stays, goes = exposure(1), exposure(2, shift, angle, side)
    equations = added(stays)
    matrix, right, weight = (np.copy(one) for one in (equations._matrix, equations._right, equations.weight))
    equations.add(goes)
    equations.remove(goes)
    for before, after in (
        (matrix, equations._matrix),
        (right, equations._right),
        (weight, equations.weight),
    ):
        np.testing.assert_allclose(after, before, atol=2e-6 * max(float(np.abs(before).max()), 1))


def test_threads_and_order_change_nothing_but_rounding():
    exposures = [exposure(k, (0.1 * k, -0.2 * k), 20.0 * k) for k in range(4)]
    one, other = added(*exposures, threads=1), added(*exposures[::-1], threads=2)
    np.testing.assert_allclose(one._matrix, other._matrix, atol=1e-5 * one._matrix.max())
    np.testing.assert_allclose(one._right, other._right, atol=1e-5 * one._right.max())


def test_pixels_without_weight_may_hold_anything():
    one = exposure(1)
    one.value[one.weight == 0] = 1e30
    equations = added(one)
    assert np.abs(equations._right).max() < 100


def test_without_pixels_the_solution_is_zero():
    assert not added().solve().any()
