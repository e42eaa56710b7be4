"""Light at given places of a difference image: by the PSF with the place held, and in a circle.

Each place is measured as if it were alone: in a difference neighbours have gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from loaders.difference.matching import Difference
from loaders.photometry.apertures import ApertureSums, Pixels, aperture_sums
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.render import SplinePsf, Stars, columns

_REACH, _CORE, _CENTRE = 4, 2, 1
"""Half widths in pixels: of the square that is fitted, of that whose fit is judged, and of that whose pixels
must be usable for the flux to be free of flags."""


class ForcedFlag(IntFlag):
    """Bits of the flags of a measurement at a given place."""

    MASKED = 1
    """A pixel within one of the place is not usable, or beyond the edge."""
    NOT_MEASURED = 2
    """No usable pixel has light of the place."""


@dataclass(frozen=True)
class ForcedFluxes:
    """Changes of flux at n places, shape (n,) each, in the unit of the image; NaN where not measured.

    Parameters
    ----------
    flux, flux_err
        Change of flux and its standard error, which includes the photons of light that is gained.
    reduced_chi2
        Of the fit to the 5 × 5 pixels around the place.
    flags
        `ForcedFlag`.
    """

    flux: FloatArray
    flux_err: FloatArray
    reduced_chi2: FloatArray
    flags: npt.NDArray[np.int32]


def forced_fluxes(
    difference: Difference,
    psf: EffectivePsf,
    origin: tuple[float, float],
    places: tuple[FloatArray, FloatArray],
    poisson: float,
) -> ForcedFluxes:
    """Fit the PSF at given places by least squares; one at a time.

    Weights are the inverse variances of the difference, which know nothing of the light that is looked for:
    so the flux is free of bias, and its error is that of these weights with the photons of the light added.

    Parameters
    ----------
    difference
        The difference image.
    psf
        PSF of the image that the template was subtracted from.
    origin
        Detector coordinates (x, y) of its pixel (0, 0).
    places
        Pixels (x, y), shape (n,) each.
    poisson
        Variance per unit of rate of a pixel of the image.
    """
    spline = SplinePsf.of(psf)
    spline = replace(spline, x_node=spline.x_node - origin[0], y_node=spline.y_node - origin[1])
    weight = np.where(difference.usable, 1 / difference.variance, 0.0).astype(np.float64)
    shape = weight.shape
    light = _light(spline, places, _REACH, shape)
    squared = (light * light).T @ weight.ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = light.T @ (weight * difference.data).ravel() / squared
        own = (light * light * light).T @ (weight**2).ravel() * poisson * np.maximum(flux, 0)
        error = np.sqrt(squared + own) / squared
    measured = squared > 0
    flags = np.where(_spoilt(difference.usable, places), ForcedFlag.MASKED, 0)
    flags = flags | np.where(measured, 0, ForcedFlag.NOT_MEASURED)
    flux, error = np.where(measured, flux, np.nan), np.where(measured, error, np.nan)
    core = _light(spline, places, _CORE, shape)
    chi2 = _reduced_chi2(difference, core, flux, poisson)
    return ForcedFluxes(flux, error, chi2, flags.astype(np.int32))


def _light(
    psf: SplinePsf, places: tuple[FloatArray, FloatArray], reach: int, shape: tuple[int, ...]
) -> csc_array:
    """Light of a star of unit flux at each place in the pixels around it, shape (ny nx, n)."""
    n = places[0].size
    stars = Stars(*places, np.ones(n), np.full(n, reach, dtype=np.int64))
    return columns(np.ones(shape), psf, stars)


def _reduced_chi2(difference: Difference, core: csc_array, flux: FloatArray, poisson: float) -> FloatArray:
    """Mean squared deviation from the fit over the variance, one parameter taken off."""
    n = flux.size
    place = np.repeat(np.arange(n), np.diff(core.indptr))
    pixel, expected = core.indices, flux[place] * core.data
    usable = difference.usable.ravel()[pixel]
    variance = np.where(usable, difference.variance.ravel()[pixel], 1.0)
    variance = variance + poisson * np.maximum(expected, 0)
    pull = np.where(usable, (difference.data.ravel()[pixel] - expected) ** 2 / variance, 0)
    count = np.bincount(place, usable, n)
    total = np.bincount(place, pull, n)
    return np.where(count > 1, total / np.maximum(count - 1, 1), np.nan)


def _spoilt(usable: npt.NDArray[np.bool_], places: tuple[FloatArray, FloatArray]) -> npt.NDArray[np.bool_]:
    """Whether a pixel within one of each place does not count, shape (n,)."""
    padded = np.pad(usable, 2 * _CENTRE)
    column, row = (
        np.clip(np.rint(at).astype(np.int64) + 2 * _CENTRE, _CENTRE, length + 3 * _CENTRE - 1)
        for at, length in zip(places, usable.shape[::-1], strict=True)
    )
    good = np.ones(row.shape, dtype=bool)
    for dy in range(-_CENTRE, _CENTRE + 1):
        for dx in range(-_CENTRE, _CENTRE + 1):
            good &= padded[row + dy, column + dx]
    return ~good


def apertures_in_difference(
    difference: Difference, places: tuple[FloatArray, FloatArray], side: FloatArray
) -> ApertureSums:
    """Changes of light in circles, above the sky around them.

    Parameters
    ----------
    difference
        The difference image.
    places
        Pixels (x, y), shape (n,) each.
    side
        Shape (n,): side of a pixel there, arcsec.
    """
    usable = difference.usable
    variance = np.where(usable, difference.variance, 0).astype(np.float64)
    pixels = Pixels(difference.data.astype(np.float64), variance, usable, np.zeros_like(usable))
    return aperture_sums(pixels, places, side)
