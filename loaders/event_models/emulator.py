"""What a model leaves of light curves, as polynomials of its parameters: an emulator of slow models.

Residuals, in errors, change smoothly with the parameters, and few directions of them matter: second-order
polynomials, fitted to those of some hundred draws, give chi-square to the fourth order at no cost. What is
asked of it is only to be nearly right: draws from it are weighted by the model itself (`emulated_draws`).
Emulators of this sort are those of Higdon et al. (2008, J. Am. Stat. Assoc. 103, 570), here without noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from loaders.stored_curve.band import FloatArray

_RIDGE = 1e-6
"""Share of the weight of all draws that keeps coefficients small that no draw says anything of."""

_BEYOND = 2.0
"""Errors beyond the outermost draws from which nothing is believed any more."""

_OUTER = 0.99
"""Share of the draws within the outermost ones."""

_WORTH = 1.5
"""Draws that count at least, for each coefficient: else the better draws count less much."""

_SOFT = 0.2
"""Power of the density by which draws count: far ones are not to bend what is near."""


@dataclass(frozen=True)
class Emulator:
    """Log-density ``-|r|² / 2`` of parameters of p dimensions, r being a polynomial.

    Parameters
    ----------
    matrix
        Shape (m, m), of the m terms (`terms`): what is left is ``terms · matrix · terms``.
    centre, root, reach
        Shapes (p,), (p, p): mean and root of the covariance of the draws, by which the distance of parameters
        is counted, and that from which the density falls whatever the polynomial says.
    """

    matrix: FloatArray
    centre: FloatArray
    root: FloatArray
    reach: float

    def log_density(self, at: FloatArray) -> FloatArray:
        """Logarithm of the density of parameters (n, p), shape (n,)."""
        some = terms(at)
        left = np.einsum("ni,ni->n", some @ self.matrix, some)
        return np.asarray(-0.5 * (left + self.beyond(at) ** 2))

    def beyond(self, at: FloatArray) -> FloatArray:
        """By how much parameters (n, p) are beyond the reach, shape (n,); zero within."""
        return np.asarray(np.maximum(_distance(at, self.centre, self.root) - self.reach, 0.0))


def emulator_of(at: FloatArray, residual: FloatArray) -> Emulator:
    """The emulator that agrees best with what was found, most where the density is high.

    Parameters
    ----------
    at
        Shape (k, p): parameters, in units of about their errors.
    residual
        Shape (k, n): what is left there, in errors; the logarithm of the density is ``-|r|² / 2``.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the draws do not spread over all parameters.
    """
    some = terms(at)
    weight = _weights(-0.5 * np.einsum("kn,kn->k", residual, residual), _WORTH * some.shape[1])
    normal = (some * weight[:, None]).T @ some
    normal[np.diag_indices_from(normal)] += _RIDGE
    share = np.linalg.solve(normal, (some * weight[:, None]).T)
    # Of residuals only their products are needed.
    matrix = share @ (residual @ residual.T) @ share.T
    centre = weight @ at
    off = at - centre
    root = np.asarray(np.linalg.cholesky((off * weight[:, None]).T @ off), dtype=np.float64)
    far = _distance(at, centre, root)
    order = np.argsort(far)
    outer = np.searchsorted(np.cumsum(weight[order]), _OUTER * weight.sum())
    return Emulator(matrix, centre, root, float(far[order[outer]] + _BEYOND))


def terms(at: FloatArray) -> FloatArray:
    """Terms of a polynomial of the second order of parameters (n, p): (n, (p + 1) (p + 2) / 2)."""
    full = np.column_stack([np.ones(at.shape[0]), at])
    first, second = np.triu_indices(full.shape[1])
    return np.asarray(full[:, first] * full[:, second])


def _distance(at: FloatArray, centre: FloatArray, root: FloatArray) -> FloatArray:
    """Distance of parameters (n, p) from a centre, in the errors of a covariance, shape (n,)."""
    return np.asarray(np.sqrt(np.sum(np.linalg.solve(root, (at - centre).T) ** 2, axis=0)))


def _weights(density: FloatArray, least: float) -> FloatArray:
    """By how much draws count, by the logarithm of their density, so that at least so many do."""
    power, weight = _SOFT, np.full(density.size, 1 / density.size)
    while power > 1e-9:
        weight = np.exp(power * density - logsumexp(power * density))
        if 1 / np.sum(weight**2) >= min(least, 0.8 * density.size):
            break
        power /= 2
    return np.asarray(weight)
