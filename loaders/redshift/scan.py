"""Chi-square of many spectra with the same pixels, at all candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, blocks
from loaders.redshift.kernels import gains

FloatArray = npt.NDArray[np.float64]

N_BASIS = 3
"""Polynomials that are added to every model."""

_CALIBRATION = 0.05
"""Standard deviation of the prior of their amplitudes, by the typical flux of the spectrum: how far flux calibration
and neglected light of neighbours may bend a spectrum."""

_BLOCK_BYTES = 40_000_000


@dataclass(frozen=True)
class Data:
    """Spectra with the same pixels.

    Parameters
    ----------
    flux, weight
        Shape (s, n); the weight is the inverse variance, 0 where a pixel is not used, and flux finite everywhere.
    """

    flux: FloatArray
    weight: FloatArray

    def __len__(self) -> int:
        return int(self.flux.shape[0])

    @property
    def total(self) -> FloatArray:
        """Chi-square of no model at all, shape (s,)."""
        return np.asarray(np.sum(self.weight * self.flux**2, axis=1))


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
    n_candidate, k, n = candidates.template.shape
    basis = basis_of(n)
    size = max(1, _BLOCK_BYTES // (8 * n * k * (k + N_BASIS)))
    width = k + N_BASIS + candidates.reluctance.size
    chi2, amplitude = np.empty((len(data), n_candidate)), np.empty((len(data), n_candidate, width))
    signal = data.weight * data.flux
    polynomial = [_polynomial(basis, one, flux) for one, flux in zip(data.weight, data.flux, strict=True)]
    upper = [(i, j) for i in range(k) for j in range(i, k)]
    for some in blocks(n_candidate, size):
        part = candidates.block(some)
        matrix = _matrices(part.template, basis, data.weight, upper)
        right = (part.template.reshape(-1, n) @ signal.T).reshape(len(part), k, len(data))
        for s in range(len(data)):
            gain, x = gains(
                np.ascontiguousarray(matrix[..., s]), np.ascontiguousarray(right[..., s]), polynomial[s],
                part.line_at, part.line_pixel, part.line_value, part.template, basis,
                data.weight[s], signal[s], part.reluctance,
            )  # fmt: skip
            chi2[s, some], amplitude[s, some] = gain, x
    return np.asarray(data.total[:, np.newaxis] - chi2), amplitude


def _matrices(
    template: FloatArray, basis: FloatArray, weight: FloatArray, upper: list[tuple[int, int]]
) -> FloatArray:
    """Sums of weights over products of templates, and of them with the basis: shape (m, k, k + q, s)."""
    m, k, n = template.shape
    products = [template[:, i] * template[:, j] for i, j in upper]
    products += [template[:, i] * one for i in range(k) for one in basis]
    sums = (np.concatenate(products) @ weight.T).reshape(len(products), m, -1)
    out = np.empty((m, k, k + basis.shape[0], weight.shape[0]))
    for number, (i, j) in enumerate(upper):
        out[:, i, j] = out[:, j, i] = sums[number]
    with_basis = sums[len(upper) :].reshape(k, basis.shape[0], m, -1)
    out[:, :, k:] = with_basis.transpose(2, 0, 1, 3)
    return out


def _polynomial(basis: FloatArray, weight: FloatArray, flux: FloatArray) -> FloatArray:
    """Normal equations of the polynomials, with their prior; shape (q, q)."""
    used = weight > 0
    level = (
        max(float(np.median(np.abs(flux[used]))), float(np.median(weight[used]) ** -0.5))
        if used.any()
        else 1.0
    )
    prior = np.eye(basis.shape[0]) / (_CALIBRATION * level) ** 2
    return np.asarray((basis * weight) @ basis.T + prior)
