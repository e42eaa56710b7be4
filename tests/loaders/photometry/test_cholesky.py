"""Packed single-precision factors against LAPACK in double precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.photometry.cholesky import factor, is_pinned, marginal_covariances, marginal_variances, solve


def correlation_matrix(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(2 * n, n)) + 0.3 * rng.normal(size=(2 * n, 1))
    matrix = a.T @ a
    scale = 1 / np.sqrt(np.diag(matrix))
    return matrix * scale * scale[:, None]


def packed(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.tril_indices(len(matrix))].astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 40), seed=st.integers(0, 2**16), data=st.data())
def test_solution_and_marginal_variances_are_those_of_lapack(n, seed, data):
    matrix = correlation_matrix(n, seed)
    first = data.draw(st.integers(0, n - 1))
    right = np.random.default_rng(seed + 1).normal(size=n)
    work, x = packed(matrix), right.astype(np.float32)
    assert factor(work, n) == 0
    solve(work, n, x)
    np.testing.assert_allclose(x, np.linalg.solve(matrix, right), rtol=1e-3, atol=1e-3)
    variance = np.empty(n - first, dtype=np.float32)
    marginal_variances(work, first, n, variance)
    inverse = np.linalg.inv(matrix)
    np.testing.assert_allclose(variance, np.diag(inverse)[first:], rtol=1e-3)
    covariance = np.empty((n - first, 3), dtype=np.float32)
    marginal_covariances(work, first, n, covariance)
    for beside in range(3):
        expected = np.pad(np.diag(inverse, beside)[first:], (0, beside))[: n - first]
        np.testing.assert_allclose(covariance[:, beside], expected, rtol=1e-3, atol=1e-3 * variance.max())


@pytest.mark.parametrize("duplicate", [1, 3])
def test_a_column_that_repeats_another_is_pinned_and_the_rest_is_solved(duplicate):
    matrix = correlation_matrix(4, 5)
    matrix[duplicate], matrix[:, duplicate] = matrix[0], matrix[:, 0]
    matrix[duplicate, duplicate] = matrix[0, duplicate] = matrix[duplicate, 0] = 1.0
    rest = [k for k in range(4) if k != duplicate]
    right = np.array([0.3, -0.2, 0.5, 0.1])
    right[duplicate] = right[0]
    work, x = packed(matrix), right.astype(np.float32)
    assert factor(work, 4) == 1
    assert [is_pinned(work, k) for k in range(4)] == [k == duplicate for k in range(4)]
    solve(work, 4, x)
    assert abs(x[duplicate]) < 1e-10
    np.testing.assert_allclose(x[rest], np.linalg.solve(matrix[np.ix_(rest, rest)], right[rest]), rtol=1e-4)
