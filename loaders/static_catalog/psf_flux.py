"""PSF fluxes: all sources of a band fitted together, by the photometry of crowded fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.fit import PixelImage, StarList, photometer
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.static_catalog.background import Band
from loaders.static_catalog.correlation import FloatArray, inflation
from loaders.static_catalog.detection import pixel_stamp

_BRIGHT = 10.0
"""Standard deviations of the sky from which a pixel tells how photon noise grows with light."""


@dataclass(frozen=True)
class PsfFluxes:
    """Fits of the PSF, shape (n,); NaN where it was not fitted.

    Parameters
    ----------
    flux, flux_err
        nJy.
    x, y, x_err, y_err
        Fitted position, 0-based pixels.
    gof
        Reduced chi-square of the core.
    flags
        Bits of `loaders.photometry.flags.PhotometryFlag`.
    """

    flux: FloatArray
    flux_err: FloatArray
    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    gof: FloatArray
    flags: npt.NDArray[np.int32]


def psf_fluxes(
    band: Band, x: FloatArray, y: FloatArray, guess: FloatArray, *, fit_positions: bool = True
) -> PsfFluxes:
    """Fit the PSF to every source of a band, neighbours together, positions included where they are bright.

    A galaxy is fitted too, as the PSF that is most like it: its flux is too low, and in its wings those of
    neighbours are too high.

    Parameters
    ----------
    band
        The band.
    x, y
        Shape (n,): positions to begin with, pixels; NaN gives NaN.
    guess
        Shape (n,): fluxes to begin with, nJy; NaN where unknown.
    fit_positions
        Whether positions are fitted; they are held if not.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    columns = np.full((7, x.size), np.nan)
    flags = np.zeros(x.size, dtype=np.int32)
    if known.size:
        image = PixelImage(band.data, noise_model(band), band.good, name=band.image.name)
        # The background is subtracted already; a surface fitted here would follow the wings of galaxies.
        options = FitOptions(fit_positions=fit_positions, background_spacing=None, shape_snr=np.inf)
        fit = photometer(image, StarList(x[known], y[known], guess[known]), band.psf, options)
        more = np.sqrt(inflation(pixel_stamp(band.psf), band.correlation))
        dx, dy = (np.nan_to_num(d) for d in (fit.dx, fit.dy))
        errors = (fit.dx_err * more, fit.dy_err * more)
        columns[:, known] = (
            fit.flux,
            fit.flux_err * more,
            x[known] + dx,
            y[known] + dy,
            *errors,
            fit.reduced_chi2,
        )
        flags[known] = fit.flags
    flux, flux_err, x_fit, y_fit, x_err, y_err, gof = columns
    return PsfFluxes(flux, flux_err, x_fit, y_fit, x_err, y_err, gof, flags)


def noise_model(band: Band) -> NoiseModel:
    """Variance as a function of the expected light: that of the sky, and what the photons of sources add.

    The latter is the median of what bright pixels have beyond the sky's variance, over their light.
    """
    good = band.good
    read = float(np.median(band.sky_variance[good]))
    bright = good & (band.data > _BRIGHT * np.sqrt(np.where(good, band.sky_variance, 0)))
    excess = (band.variance[bright] - band.sky_variance[bright]) / band.data[bright]
    poisson = max(float(np.median(excess)), 0.0) if bright.any() else 0.0
    scale = np.where(good, band.sky_variance / np.float32(read), np.nan).astype(np.float32)
    return NoiseModel(read, poisson, scale)
