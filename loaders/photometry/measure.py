"""One exposure measured: a file, a catalog and a PSF in, fluxes and offsets on the sky out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.astrometry.stars import CatalogStars, catalog_pixels, near_image
from loaders.photometry.difference_fit import flux_scale, photometer_difference
from loaders.photometry.fit import StarPhotometry, photometer
from loaders.photometry.flags import NO_GUIDE, PhotometryFlag
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.options import FitOptions
from loaders.photometry.saturated import without_blocks
from loaders.psf.model import EffectivePsf
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.quality import SATURATED, usable_pixels

FloatArray = npt.NDArray[np.float64]

#: Common shift of all stars (pixels) from which an exposure is fitted anew at shifted positions.
SHIFT_TOLERANCE = 0.01

#: Pixels beyond the edges within which stars still shed light into the image.
MARGIN = 64.0


@dataclass(frozen=True)
class ExposureMeasurement:
    """What was measured in one exposure, for the stars on its detector.

    Parameters
    ----------
    exposure_id
        The exposure.
    star
        Shape (m,): rows of the catalog.
    flux, flux_err, background
        Shape (m,): nJy (background: nJy a pixel); NaN where not measured.
    flags
        Shape (m,): `PhotometryFlag`.
    reduced_chi2, crowding
        Shape (m,); see `loaders.photometry.fit.StarPhotometry`.
    offset_ra, offset_dec, offset_ra_err, offset_dec_err
        Shape (m,): offset from the catalogued place, mas, right ascension times cos(dec); the common shift
        of the exposure is taken out. NaN where the star is too faint.
    shape
        Shape (6, m): size excess, e1, e2 and their errors; NaN where the star is too faint.
    shift
        Common shift of the stars from their catalogued places, mas, east and north; NaN where no star was
        bright enough.
    """

    exposure_id: int
    star: npt.NDArray[np.int64]
    flux: FloatArray
    flux_err: FloatArray
    background: FloatArray
    flags: npt.NDArray[np.uint16]
    reduced_chi2: FloatArray
    crowding: FloatArray
    offset_ra: FloatArray
    offset_dec: FloatArray
    offset_ra_err: FloatArray
    offset_dec_err: FloatArray
    shape: FloatArray
    shift: tuple[float, float]


def measure_exposure(
    path: Path,
    exposure_id: int,
    stars: CatalogStars,
    psf: EffectivePsf,
    options: FitOptions,
    *,
    difference: bool = False,
) -> ExposureMeasurement:
    """Measure the catalogued stars in one exposure.

    With ``difference`` it is their changes against the fluxes of ``stars`` that are measured.

    Raises
    ------
    Rejected
        If the file can't be used.
    """
    return measure_image(read_level2(path), exposure_id, stars, psf, options, difference=difference)


def measure_image(
    image: Level2Image,
    exposure_id: int,
    stars: CatalogStars,
    psf: EffectivePsf,
    options: FitOptions,
    *,
    difference: bool = False,
) -> ExposureMeasurement:
    """Measure the catalogued stars in an exposure that was read, as `measure_exposure`."""
    x, y = catalog_pixels(image, stars.astrometry)
    near = near_image(image.shape, x, y, MARGIN)
    pixels = pixel_image(image)
    listed = StarList(x[near], y[near], stars.flux[near] / image.njy_per_unit)
    fit = photometer(pixels, listed, psf, options)
    shift = common_shift(fit)
    if np.hypot(*shift) > SHIFT_TOLERANCE:
        listed = replace(listed, x=listed.x + shift[0], y=listed.y + shift[1], flux_guess=fit.flux)
        fit = photometer(pixels, listed, psf, options)
        again = common_shift(fit)
        shift = shift[0] + again[0], shift[1] + again[1]
        fit = replace(fit, dx=fit.dx - again[0], dy=fit.dy - again[1])
    elif np.isfinite(shift[0]):
        fit = replace(fit, dx=fit.dx - shift[0], dy=fit.dy - shift[1])
    if difference:
        reference = stars.flux[near] / image.njy_per_unit
        scale = flux_scale(fit, reference)
        listed = replace(listed, flux_guess=reference)
        fit = photometer_difference(pixels, listed, psf, scale, options)
    return _on_detector(exposure_id, image, np.flatnonzero(near), listed, fit, shift)


def common_shift(fit: StarPhotometry) -> tuple[float, float]:
    """Median offset (pixels) of the stars that have one and no flag; NaN where there is none.

    A poor fit does not keep a star out: all of them are poor where the WCS is off by much of a pixel.
    """
    good = np.isfinite(fit.dx) & (fit.flags & NO_GUIDE == 0)
    if not good.any():
        return float("nan"), float("nan")
    return float(np.median(fit.dx[good])), float(np.median(fit.dy[good]))


def pixel_image(image: Level2Image) -> PixelImage:
    """Pixels as the fit takes them: without blocks of saturated ones, whose light no stars explain."""
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    saturated = (image.dq & np.uint32(SATURATED)) != 0
    name = image.metadata.filename or "image"
    arrays = image.data, image.err, image.var_poisson, usable, saturated
    return without_blocks(PixelImage.from_calibrated(*arrays, name=name))


def _on_detector(
    exposure_id: int,
    image: Level2Image,
    star: npt.NDArray[np.int64],
    listed: StarList,
    fit: StarPhotometry,
    shift: tuple[float, float],
) -> ExposureMeasurement:
    """Convert the fit of the stars on the detector to the units of the sky."""
    inside = (fit.flags & PhotometryFlag.OUTSIDE) == 0
    matrix = image.projection.jacobian(listed.x[inside], listed.y[inside]) * 1000.0
    east, north, east_err, north_err = _on_sky(matrix, fit, inside)
    middle = image.projection.jacobian(np.array([image.shape[1] / 2]), np.array([image.shape[0] / 2]))[0]
    scale = image.njy_per_unit
    return ExposureMeasurement(
        exposure_id=exposure_id,
        star=star[inside],
        flux=fit.flux[inside] * scale,
        flux_err=fit.flux_err[inside] * scale,
        background=fit.background[inside] * scale,
        flags=fit.flags[inside].astype(np.uint16),
        reduced_chi2=fit.reduced_chi2[inside],
        crowding=fit.crowding[inside],
        offset_ra=east,
        offset_dec=north,
        offset_ra_err=east_err,
        offset_dec_err=north_err,
        shape=np.stack([fit.size, fit.e1, fit.e2, fit.size_err, fit.e1_err, fit.e2_err])[:, inside],
        shift=tuple(1000.0 * (middle @ np.array(shift))),
    )


def _on_sky(
    matrix: FloatArray, fit: StarPhotometry, inside: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Offsets and errors in mas east and north from those in pixels; errors of x and y are independent."""
    offset = np.stack([fit.dx[inside], fit.dy[inside]], axis=1)
    variance = np.stack([fit.dx_err[inside], fit.dy_err[inside]], axis=1) ** 2
    sky = np.einsum("nij,nj->in", matrix, offset)
    error = np.sqrt(np.einsum("nij,nj->in", matrix**2, variance))
    return sky[0], sky[1], error[0], error[1]
