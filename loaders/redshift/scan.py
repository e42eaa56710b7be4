"""Chi-square of many spectra with the same pixels, at all candidates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, blocks
from loaders.redshift.least_squares import Target, gains

FloatArray = npt.NDArray[np.float64]

N_BASIS = 3
"""Polynomials that are added to every model."""

_CALIBRATION = 0.05
"""Standard deviation of the prior of their amplitudes, by the typical flux of the spectrum: how far flux
calibration and neglected light of neighbours may bend it."""

_BLOCK_BYTES = 40_000_000


@dataclass(frozen=True)
class Data:
    """Spectra with the same pixels.

    Parameters
    ----------
    flux, weight
        Shape (s, n); the weight is the inverse variance, 0 where a pixel is not used; the flux is finite.
    """

    flux: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return int(self.flux.shape[0])

    @property
    def total(self) -> FloatArray:
        """Chi-square of no model at all, shape (s,)."""
        return np.asarray(np.sum(self.weight * self.flux**2, axis=1))

    @cached_property
    def targets(self) -> list[Target]:
        """Each of them, with the normal equations of the polynomials."""
        basis = basis_of(self.flux.shape[1])
        return [_target(basis, one, flux) for one, flux in zip(self.weight, self.flux, strict=True)]


@lru_cache(maxsize=64)
def basis_of(n_pixel: int) -> FloatArray:
    """Legendre polynomials over the pixels, shape (q, n)."""
    x = np.linspace(-1, 1, n_pixel)
    return np.asarray(np.polynomial.legendre.legvander(x, N_BASIS - 1).T)


def chi_square(data: Data, candidates: Candidates) -> tuple[FloatArray, FloatArray]:
    """Fit every candidate to every spectrum.

    Returns
    -------
    chi2 : numpy.ndarray
        Shape (s, m): with the priors of what is fitted.
    amplitude : numpy.ndarray
        Shape (s, m, k + q + g): of templates, polynomials and lines.
    """
    n_candidate, k, n = candidates.block.template.shape
    basis = basis_of(n)
    size = max(1, _BLOCK_BYTES // (8 * n * k * (k + N_BASIS)))
    width = k + N_BASIS + candidates.block.mixture.shape[1]
    gain, amplitude = np.empty((len(data), n_candidate)), np.empty((len(data), n_candidate, width))
    signal = data.weight * data.flux
    for some in blocks(n_candidate, size):
        part = candidates.part(some)
        matrix = _matrices(part.template, basis, data.weight)
        right = np.ascontiguousarray((signal @ part.template.reshape(-1, n).T).reshape(len(data), -1, k))
        for s, target in enumerate(data.targets):
            gain[s, some], amplitude[s, some] = gains(matrix[s], right[s], part, target)
    return np.asarray(data.total[:, np.newaxis] - gain), amplitude


def _matrices(template: FloatArray, basis: FloatArray, weight: FloatArray) -> FloatArray:
    """Sums of weights over products of templates, and of them with the basis: shape (s, m, k, k + q)."""
    m, k, _ = template.shape
    if weight.shape[0] == 1:
        weighted = template * weight[0]
        alike = weighted @ template.transpose(0, 2, 1)
        return np.concatenate([alike, weighted @ basis.T], axis=2)[np.newaxis]
    upper = [(i, j) for i in range(k) for j in range(i, k)]
    products = [template[:, i] * template[:, j] for i, j in upper]
    products += [template[:, i] * one for i in range(k) for one in basis]
    sums = (weight @ np.concatenate(products).T).reshape(weight.shape[0], len(products), m)
    out = np.empty((weight.shape[0], m, k, k + basis.shape[0]))
    for number, (i, j) in enumerate(upper):
        out[:, :, i, j] = out[:, :, j, i] = sums[:, number]
    with_basis = sums[:, len(upper) :].reshape(-1, k, basis.shape[0], m)
    out[:, :, :, k:] = with_basis.transpose(0, 3, 1, 2)
    return out


def _target(basis: FloatArray, weight: FloatArray, flux: FloatArray) -> Target:
    """A spectrum with the normal equations of the polynomials and their prior."""
    used = weight > 0
    level = 1.0
    if used.any():
        level = max(float(np.median(np.abs(flux[used]))), float(np.median(weight[used]) ** -0.5))
    prior = np.eye(basis.shape[0]) / (_CALIBRATION * level) ** 2
    return Target(weight, weight * flux, basis, np.asarray((basis * weight) @ basis.T + prior))
