"""Spectra of several exposures on one grid of wavelengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.spectral_geometry.polynomial import FloatArray

_OUTLIER = 5.0
_CLIPS = 3


@dataclass(frozen=True)
class Spectrum:
    """A one-dimensional spectrum; arrays of shape (n,), wavelengths (µm) in either order.

    ``flux`` and ``error`` in any one unit; NaN where nothing was measured.
    """

    wavelength: FloatArray
    flux: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class Combined:
    """A spectrum of several exposures; ``number`` of shape (n,) says how many are in each element."""

    wavelength: FloatArray
    flux: FloatArray
    error: FloatArray
    number: npt.NDArray[np.int64]


def combine(spectra: Sequence[Spectrum], wavelength: FloatArray) -> Combined:
    """Weighted mean of spectra, without values five standard errors off the median of three or more.

    Each spectrum is rebinned so that flux is conserved; errors of elements that share a pixel are
    correlated, and the error of each is its own.

    Parameters
    ----------
    spectra
        Any number, also none.
    wavelength
        Shape (n,): centres of the elements of the result, µm, ascending.

    Returns
    -------
    NaN and number 0 where no spectrum has a value.
    """
    flux, variance = np.full((2, len(spectra), wavelength.size), np.nan)
    for row, spectrum in enumerate(spectra):
        flux[row], variance[row] = rebinned(spectrum, wavelength)
    good = np.isfinite(flux) & np.isfinite(variance) & (variance > 0)
    for _ in range(_CLIPS):
        good &= ~_outliers(flux, variance, good)
    weight = np.divide(1.0, variance, out=np.zeros(variance.shape), where=good)
    total = weight.sum(axis=0)
    some = total > 0
    mean = np.divide((weight * np.where(good, flux, 0.0)).sum(axis=0), total, where=some, out=_nan(total))
    error = np.divide(1.0, np.sqrt(total), where=some, out=_nan(total))
    return Combined(wavelength, mean, error, good.sum(axis=0))


def _nan(like: FloatArray) -> FloatArray:
    return np.full(like.shape, np.nan)


def _outliers(flux: FloatArray, variance: FloatArray, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Values far off the median of their elements, where three are good."""
    enough = good.sum(axis=0) >= 3
    middle = np.zeros(flux.shape[1])
    if enough.any():
        middle[enough] = np.nanmedian(np.where(good, flux, np.nan)[:, enough], axis=0)
    far = np.abs(flux - middle) > _OUTLIER * np.sqrt(variance)
    return np.asarray(good & enough & far)


def rebinned(spectrum: Spectrum, wavelength: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean flux and its variance in elements about wavelengths (µm, ascending), each of shape (n,).

    An element is NaN unless pixels with values cover all of it. A pixel counts by its share of the element.
    """
    order = np.argsort(spectrum.wavelength)
    centre = spectrum.wavelength[order]
    flux, error = spectrum.flux[order], spectrum.error[order]
    if centre.size < 2:
        return np.full(wavelength.size, np.nan), np.full(wavelength.size, np.nan)
    edges, wanted = _edges(centre), _edges(wavelength)
    good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    width = wanted[1:] - wanted[:-1]
    low = np.searchsorted(edges, wanted[:-1], side="right") - 1
    high = np.searchsorted(edges, wanted[1:], side="left")
    mean, variance, covered = np.zeros((3, wavelength.size))
    for step in range(int((high - low).max(initial=0))):
        pixel = low + step
        inside = (pixel >= 0) & (pixel < np.minimum(high, centre.size))
        pixel = np.clip(pixel, 0, centre.size - 1)
        inside &= good[pixel]
        overlap = np.minimum(edges[pixel + 1], wanted[1:]) - np.maximum(edges[pixel], wanted[:-1])
        share = np.where(inside, np.maximum(overlap, 0.0) / width, 0.0)
        mean += share * np.where(inside, flux[pixel], 0.0)
        variance += share**2 * np.where(inside, error[pixel] ** 2, 0.0)
        covered += share
    whole = covered > 1 - 1e-9
    return np.where(whole, mean, np.nan), np.where(whole, variance, np.nan)


def _edges(centre: FloatArray) -> FloatArray:
    """Edges half way between centres, shape (n + 1,)."""
    middle = (centre[1:] + centre[:-1]) / 2
    return np.concatenate([[2 * centre[0] - middle[0]], middle, [2 * centre[-1] - middle[-1]]])
