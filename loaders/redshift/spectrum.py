"""A spectrum in one dimension as a file gives it, and what of it can be fitted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loaders.redshift.candidates import Pixels, pixels_of
from loaders.redshift.observation import UNKNOWN, Observation
from loaders.redshift.warning_bits import WarningBit

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FWHM_SIGMA = 2.354820045
MIN_PIXELS = 20
MOST_PIXELS = 1600
"""Longer spectra are fitted in bins of several pixels."""

_ASSUMED_FWHM_PIXELS = 2.5
_TEMPLATE_ERROR = 0.02
"""Share of the smooth flux by which templates miss real spectra, added to the errors."""

_SMOOTH_PIXELS = 51
_SPIKE = 8.0


@dataclass(frozen=True)
class Spectrum:
    """A spectrum.

    Parameters
    ----------
    name
        What the file calls it.
    wavelength
        Shape (n,), Å in vacuum, ascending.
    flux, flux_err
        Shape (n,): flux density by wavelength and its error, in ``flux_unit``; NaN where there is none.
    mask
        Shape (n,), true where the file says that a pixel is bad.
    resolution
        Shape (n,), λ/FWHM of the line-spread function; None where it is not known.
    ra, dec
        Degrees ICRS; None where not known.
    flux_unit
        VOUnit of the flux; empty where the scale is not known.
    observation
        When and with what it was observed.
    """

    name: str
    wavelength: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    mask: BoolArray
    resolution: FloatArray | None = None
    ra: float | None = None
    dec: float | None = None
    flux_unit: str = ""
    observation: Observation = UNKNOWN


@dataclass(frozen=True)
class Prepared:
    """What is fitted of a spectrum.

    Parameters
    ----------
    pixels
        Pixels; None where there are too few.
    flux, weight
        Shape (n,): the flux divided by ``scale``, 0 where it is not used; inverse variance, 0 there.
    scale
        Flux of 1.
    n_pixel
        Pixels of the file that are used.
    warning
        What is to be known of it.
    """

    pixels: Pixels | None
    flux: FloatArray
    weight: FloatArray
    scale: float
    n_pixel: int
    warning: WarningBit = field(default_factory=lambda: WarningBit(0))


def prepare(spectrum: Spectrum) -> Prepared:
    """Choose the pixels that can be used, bin them if they are many, and scale the flux to 1."""
    finite = np.isfinite(spectrum.flux) & np.isfinite(spectrum.flux_err)
    positive = finite & (spectrum.flux_err > 0)
    placed = np.isfinite(spectrum.wavelength) & (spectrum.wavelength > 0)
    good = positive & placed & ~spectrum.mask
    warning = _about(spectrum, finite, positive)
    number = int(good.sum())
    if number < MIN_PIXELS:
        bit = WarningBit.NO_PIXELS if number == 0 else WarningBit.FEW_PIXELS
        return _nothing(number, warning | bit)
    first, last = np.flatnonzero(good)[[0, -1]]
    inside = slice(first, last + 1)
    if np.ptp(spectrum.flux[good]) == 0:
        return _nothing(number, warning | WarningBit.NO_SIGNAL)
    scale = float(np.median(np.abs(spectrum.flux[good]))) or float(np.abs(spectrum.flux[good]).max())
    good = good[inside]
    flux = np.where(good, spectrum.flux[inside], 0.0) / scale
    error = np.where(good, spectrum.flux_err[inside], np.inf) / scale
    with np.errstate(under="ignore", over="ignore"):
        weight = np.where(good, 1 / np.maximum(error, 1e-150) ** 2, 0.0)
    wavelength = spectrum.wavelength[inside]
    factor = -(-wavelength.size // MOST_PIXELS)
    sigma = _sigma_ln(spectrum, inside, wavelength)
    if factor > 1:
        wavelength, flux, weight, sigma = binned(wavelength, flux, weight, sigma, factor)
        warning |= WarningBit.REBINNED
    weight = _with_template_error(flux, weight)
    return Prepared(pixels_of(wavelength, sigma), flux, weight, scale, number, warning)


def _about(spectrum: Spectrum, finite: BoolArray, positive: BoolArray) -> WarningBit:
    """Bits of what is wrong with pixels that are not masked."""
    said = WarningBit(0)
    if np.any(~spectrum.mask & finite & ~positive):
        said |= WarningBit.BAD_ERRORS
    if np.any(~spectrum.mask & ~finite):
        said |= WarningBit.NOT_FINITE
    if spectrum.resolution is None:
        said |= WarningBit.ASSUMED_RESOLUTION
    return said


def _nothing(number: int, warning: WarningBit) -> Prepared:
    """A spectrum that cannot be fitted."""
    return Prepared(None, np.zeros(0), np.zeros(0), 1.0, number, warning)


def _sigma_ln(spectrum: Spectrum, inside: slice, wavelength: FloatArray) -> FloatArray:
    """Dispersion of the line-spread function in ln λ: as stated, else of 2.5 pixels; at least 0.4 pixels."""
    step = np.gradient(np.log(wavelength))
    assumed = _ASSUMED_FWHM_PIXELS * np.median(step) / FWHM_SIGMA * np.ones(wavelength.size)
    if spectrum.resolution is None:
        return np.asarray(assumed)
    stated = spectrum.resolution[inside]
    usable = np.isfinite(stated) & (stated > 0)
    sigma = np.where(usable, 1 / np.where(usable, stated, 1.0) / FWHM_SIGMA, assumed)
    return np.asarray(np.maximum(sigma, 0.4 * step))


def binned(
    wavelength: FloatArray, flux: FloatArray, weight: FloatArray, sigma: FloatArray, factor: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Weighted means of so many pixels each; what is left over at the end is dropped."""
    number = wavelength.size // factor
    shape = (number, factor)
    cut = [one[: number * factor].reshape(shape) for one in (wavelength, flux, weight, sigma)]
    total = cut[2].sum(axis=1)
    mean = np.divide((cut[1] * cut[2]).sum(axis=1), total, out=np.zeros(number), where=total > 0)
    middle = cut[0].mean(axis=1)
    return middle, mean, total, np.maximum(cut[3].mean(axis=1), 0.4 * np.gradient(np.log(middle)))


def _with_template_error(flux: FloatArray, weight: FloatArray) -> FloatArray:
    """Weights that allow for what templates cannot follow, and without single pixels that stick out alone."""
    used = weight > 0
    smooth = _running_median(np.where(used, flux, np.nan))
    floor = (_TEMPLATE_ERROR * np.abs(smooth)) ** 2
    variance = np.where(used, 1 / np.where(used, weight, 1.0) + floor, np.inf)
    beside = np.maximum(np.roll(flux, 1), np.roll(flux, -1))
    excess = flux - np.maximum(beside, smooth)
    spike = used & (excess > _SPIKE * np.sqrt(variance)) & (beside - smooth < 0.15 * excess)
    return np.where(used & ~spike, 1 / variance, 0.0)


def _running_median(values: FloatArray) -> FloatArray:
    """Median of 51 pixels about each, fewer at the edges; 0 where there is none."""
    half = _SMOOTH_PIXELS // 2
    padded = np.pad(values, half, constant_values=np.nan)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH_PIXELS), axis=1)
    count = np.sum(np.isfinite(windows), axis=1)
    median = windows[np.arange(values.size), np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, median, 0.0)
