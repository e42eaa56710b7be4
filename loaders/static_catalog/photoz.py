"""Photometric redshifts: spectra fitted to fluxes, and the probability of each redshift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.templates import TemplateGrid

_MODEL_ERROR = 0.03
"""Relative error of the spectra in a band, added to that of the fluxes in quadrature."""
_CHUNK = 400
_LEVELS = (68, 90, 99)
_LEAST_BANDS = 3


@dataclass(frozen=True)
class PhotometricRedshifts:
    """Redshifts of n sources; NaN (number of the spectrum: -1) where fewer than three bands were measured.

    Parameters
    ----------
    photoz
        Shape (n,): where the probability is highest.
    low, high
        Bounds of the intervals, by percentage (68, 90, 99), shape (n,) each: the redshifts below and above
        which half of the rest of the probability lies.
    gof
        Shape (n,): least chi-square over the number of bands less that of parameters (redshift and scale).
    sed
        Shape (n,): number of the best spectrum.
    pdf
        Shape (n, n_z): probability density at ``redshift``; its integral is one.
    redshift
        Shape (n_z,).
    """

    photoz: FloatArray
    low: dict[int, FloatArray]
    high: dict[int, FloatArray]
    gof: FloatArray
    sed: npt.NDArray[np.int32]
    pdf: npt.NDArray[np.float32]
    redshift: FloatArray


def fit_redshifts(
    flux: FloatArray, error: FloatArray, grid: TemplateGrid, model_error: float = _MODEL_ERROR
) -> PhotometricRedshifts:
    """Fit spectra to fluxes in bands.

    For each redshift and spectrum the best scale (not below zero) gives a chi-square; the probability of a
    redshift is the sum of ``exp(-chi2 / 2)`` over the spectra, all redshifts and spectra being as likely
    beforehand.

    Parameters
    ----------
    flux, error
        Shape (n, n_element): flux densities, of one unit, with the same part of each source in every band,
        and their errors; NaN where not measured.
    grid
        Fluxes of the spectra; its last axis is that of ``flux``.
    model_error
        Relative error of the spectra.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    if flux.shape != error.shape or flux.ndim != 2 or flux.shape[1] != len(grid.elements):
        raise ValueError(
            f"flux and error must have the shape (n, {len(grid.elements)}), got {flux.shape}, {error.shape}"
        )
    parts = [
        _fit(flux[begin : begin + _CHUNK], error[begin : begin + _CHUNK], grid, model_error)
        for begin in range(0, max(len(flux), 1), _CHUNK)
    ]
    photoz, gof, sed, pdf = (np.concatenate(column) for column in zip(*parts, strict=True))
    low, high = _intervals(pdf, grid.redshift)
    return PhotometricRedshifts(
        photoz, low, high, gof, sed.astype(np.int32), pdf.astype(np.float32), grid.redshift
    )


def _fit(
    flux: FloatArray, error: FloatArray, grid: TemplateGrid, model_error: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Best redshift, goodness of fit, spectrum and probability of a part of the sources."""
    known = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    value = np.where(known, flux, 0.0)
    variance = np.where(known, error, 1.0) ** 2 + (model_error * value) ** 2
    weight = np.where(known, 1 / variance, 0.0)
    chi2 = _chi_square(value, weight, grid.flux.reshape(-1, flux.shape[1]))
    enough = known.sum(axis=1) >= _LEAST_BANDS
    best = chi2.argmin(axis=1) if len(flux) else np.zeros(0, dtype=int)
    least = np.take_along_axis(chi2, best[:, None], axis=1)
    shape = (len(flux), grid.redshift.size, len(grid.names))
    likelihood = np.exp(-0.5 * (chi2 - least)).reshape(shape).sum(axis=2)
    pdf = likelihood / np.trapezoid(likelihood, grid.redshift, axis=1)[:, None]
    pdf[~enough] = np.nan
    peak = pdf.argmax(axis=1) if len(flux) else best
    freedom = np.maximum(known.sum(axis=1) - 2, 1)
    photoz = np.where(enough, grid.redshift[peak], np.nan)
    gof = np.where(enough, least[:, 0] / freedom, np.nan)
    return photoz, gof, np.where(enough, best % len(grid.names), -1), pdf


def _chi_square(value: FloatArray, weight: FloatArray, model: FloatArray) -> FloatArray:
    """Least chi-square over the scale, for each source and model, shape (n, n_model)."""
    overlap = (value * weight) @ model.T
    power = weight @ (model**2).T
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(power > 0, np.maximum(overlap, 0) ** 2 / power, 0.0)
    return np.asarray((value**2 * weight).sum(axis=1)[:, None] - gain)


def _intervals(pdf: FloatArray, redshift: FloatArray) -> tuple[dict[int, FloatArray], dict[int, FloatArray]]:
    """Bounds of the intervals from the cumulative probability."""
    step = np.diff(redshift) * (pdf[:, 1:] + pdf[:, :-1]) / 2
    below = np.concatenate([np.zeros((len(pdf), 1)), np.cumsum(step, axis=1)], axis=1)
    low, high = {}, {}
    for level in _LEVELS:
        tail = (1 - level / 100) / 2
        low[level] = _quantile(below, redshift, tail)
        high[level] = _quantile(below, redshift, 1 - tail)
    return low, high


def _quantile(below: FloatArray, redshift: FloatArray, share: float) -> FloatArray:
    """Redshift below which a share of the probability lies; NaN where there is none."""
    after = np.clip((below < share).sum(axis=1), 1, redshift.size - 1)
    row = np.arange(len(below))
    left, right = below[row, after - 1], below[row, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip(np.where(right > left, (share - left) / (right - left), 0.0), 0, 1)
    value = redshift[after - 1] + part * (redshift[after] - redshift[after - 1])
    return np.asarray(np.where(np.isfinite(below[:, -1]), value, np.nan))
