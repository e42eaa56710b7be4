"""Chi-square of many spectra with the same pixels, at all candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Candidates, blocks
from loaders.redshift.least_squares import Sums, Target, gains

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

N_BASIS = 3
"""Polynomials that are added to every model."""

_CALIBRATION = 0.05
"""Standard deviation of the prior of their amplitudes, by the typical flux of the spectrum: how far flux
calibration and neglected light of neighbours may bend it."""

_RIDGE = 1e-10
"""Part of their own by which sums of polynomials are raised: a single pixel may outweigh all others."""

_BLOCK_BYTES = 2_000_000
"""Of products of templates that are made at a time: they stay in the cache of the processor."""


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
    def level(self) -> FloatArray:
        """Typical flux of each spectrum, shape (s,)."""
        return np.array([_level(weight, flux) for weight, flux in zip(self.weight, self.flux, strict=True)])

    def in_bins(self, bins: IntArray) -> _Bins:
        """The same in bins of pixels, kept for the next candidates with such bins."""
        key = bins.tobytes()
        if key not in self._binned:
            self._binned[key] = _Bins(self, bins)
        return self._binned[key]

    @cached_property
    def _binned(self) -> dict[bytes, _Bins]:
        """What `in_bins` keeps."""
        return {}


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
    n_candidate, k, n_bin = candidates.block.template.shape
    bins = data.in_bins(candidates.block.bins)
    size = max(1, _BLOCK_BYTES // (4 * n_bin * k * (k + 1)))
    width = k + N_BASIS + candidates.block.mixture.shape[1]
    gain, amplitude = np.empty((len(data), n_candidate)), np.empty((len(data), n_candidate, width))
    for some in blocks(n_candidate, size):
        part = candidates.part(some)
        sums = bins.sums(part.template)
        for s, (target, one) in enumerate(zip(bins.targets, sums, strict=True)):
            gain[s, some], amplitude[s, some] = gains(one, part, target)
    polynomials = amplitude[:, :, k : k + N_BASIS]
    polynomials[:] = polynomials @ bins.inverse
    return np.asarray(data.total[:, np.newaxis] - gain), amplitude


@lru_cache(maxsize=16)
def _pairs(k: int) -> tuple[IntArray, IntArray]:
    """First and second of all pairs of templates, the first not after the second."""
    return np.triu_indices(k)


class _Bins:
    """Spectra in bins of pixels.

    Attributes
    ----------
    targets
        Each with its polynomials.
    inverse
        Shape (s, q, q), that makes amplitudes of Legendre polynomials of those of the targets.
    """

    def __init__(self, data: Data, bins: IntArray) -> None:
        begin = np.flatnonzero(np.diff(bins, prepend=-1))
        signal = data.weight * data.flux
        self._weight = np.add.reduceat(data.weight, begin, axis=1)
        self._signal = np.add.reduceat(signal, begin, axis=1)
        basis = np.add.reduceat(basis_of(bins.size), begin, axis=1) / np.bincount(bins)
        normal = (basis * self._weight[:, np.newaxis]) @ basis.T
        normal += np.eye(N_BASIS) / (_CALIBRATION * data.level[:, np.newaxis, np.newaxis]) ** 2
        normal *= 1 + _RIDGE * np.eye(N_BASIS)
        self.inverse = np.linalg.inv(np.linalg.cholesky(normal))
        self._basis = self.inverse @ basis
        projection = self._basis @ self._signal[:, :, np.newaxis]
        self.targets = [
            Target(data.weight[s], signal[s], self._basis[s], projection[s, :, 0]) for s in range(len(data))
        ]

    def sums(self, template: FloatArray) -> Iterator[Sums]:
        """Sums of each spectrum over templates, shape (m, k, b)."""
        m, k, n_bin = template.shape
        first, second = _pairs(k)
        products = (template[:, first] * template[:, second]).reshape(-1, n_bin)
        product = (self._weight @ products.T).reshape(-1, m, first.size)
        columns = np.concatenate(
            [self._basis * self._weight[:, np.newaxis], self._signal[:, np.newaxis]], axis=1
        )
        beside = columns.reshape(-1, n_bin) @ template.reshape(-1, n_bin).T
        for one, more in zip(product, beside.reshape(-1, N_BASIS + 1, m, k), strict=True):
            yield Sums(one, more[:N_BASIS], more[N_BASIS])


def _level(weight: FloatArray, flux: FloatArray) -> float:
    """Typical flux of a spectrum, or its noise, if that is larger; 1 of one without pixels."""
    used = weight > 0
    if not used.any():
        return 1.0
    return max(float(np.median(np.abs(flux[used]))), float(np.median(weight[used]) ** -0.5))
