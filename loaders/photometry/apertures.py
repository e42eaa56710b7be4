"""Sums in a circle about catalogued places of an exposure, less the sky in an annulus around each.

Nothing is fitted: the light of neighbours in the circle counts, light outside of it is missing. For extended
sources this is a flux of one and the same part of the sky in every exposure, where that of a PSF fit is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from photutils.geometry import circular_overlap_grid

from loaders.astrometry.stars import CatalogStars, catalog_pixels, near_image
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.measure import ExposureMeasurement
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.quality import SATURATED, usable_pixels

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

APERTURE_RADIUS = 0.4
"""Arcsec: radius of the circle; that of the colours of static catalogs."""

ANNULUS = (2.4, 2.8)
"""Arcsec: inner and outer radius of the annulus of the sky, as in static catalogs."""

_LEAST_SKY = 50
"""Usable pixels that the annulus must have."""
_MEDIAN_VARIANCE = np.pi / 2
"""Variance of a median over that of a mean, for Gaussian noise."""
_SOURCES_AT_A_TIME = 5000


@dataclass(frozen=True)
class Pixels:
    """An exposure to sum over: data, their variance, what is usable and what is saturated; shape (ny, nx)."""

    data: FloatArray
    variance: FloatArray
    usable: BoolArray
    saturated: BoolArray


@dataclass(frozen=True)
class ApertureSums:
    """Sums of n sources, shape (n,) each, in the unit of the image; NaN where not measured.

    Parameters
    ----------
    flux, flux_err
        Light in the circle above the sky, and its error.
    background, background_err
        The sky, a pixel, and its error.
    flags
        `PhotometryFlag`.
    """

    flux: FloatArray
    flux_err: FloatArray
    background: FloatArray
    background_err: FloatArray
    flags: npt.NDArray[np.uint16]


def measure_apertures(path: Path, exposure_id: int, stars: CatalogStars) -> ExposureMeasurement:
    """Measure catalogued objects in one exposure in circles of `APERTURE_RADIUS`.

    Raises
    ------
    Rejected
        If the file can't be used.
    """
    image = read_level2(path)
    x, y = catalog_pixels(image, stars.astrometry)
    star = np.flatnonzero(near_image(image.shape, x, y, 0.0))
    matrix = image.projection.jacobian(x[star], y[star])
    side = np.sqrt(np.abs(np.linalg.det(matrix)))
    sums = aperture_sums(_pixels(image), (x[star], y[star]), side)
    scale, unknown = image.njy_per_unit, np.full(star.size, np.nan)
    return ExposureMeasurement(
        exposure_id=exposure_id,
        star=star,
        flux=sums.flux * scale,
        flux_err=sums.flux_err * scale,
        background=sums.background * scale,
        flags=sums.flags,
        reduced_chi2=unknown,
        crowding=unknown,
        offset_ra=unknown,
        offset_dec=unknown,
        offset_ra_err=unknown,
        offset_dec_err=unknown,
        shape=np.full((6, star.size), np.nan),
        shift=(float("nan"), float("nan")),
    )


def _pixels(image: Level2Image) -> Pixels:
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    variance = np.where(usable, image.err.astype(np.float64) ** 2, 0.0)
    data = np.where(usable, image.data.astype(np.float64), 0.0)
    return Pixels(data, variance, usable, (image.dq & np.uint32(SATURATED)) != 0)


def aperture_sums(pixels: Pixels, place: tuple[FloatArray, FloatArray], side: FloatArray) -> ApertureSums:
    """Sum the light of sources in circles.

    A pixel that is not usable, or beyond the edge, is replaced by the one opposite of the middle; where that
    is not usable either, nothing is measured.

    Parameters
    ----------
    pixels
        The exposure.
    place
        Pixels x and y of the sources, shape (n,) each, on the image.
    side
        Shape (n,): side of a pixel there, arcsec.
    """
    n = side.size
    parts = [
        _some_sums(pixels, (place[0][part], place[1][part]), side[part])
        for part in (slice(at, at + _SOURCES_AT_A_TIME) for at in range(0, max(n, 1), _SOURCES_AT_A_TIME))
    ]
    flux, variance, level, level_variance, flags = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return ApertureSums(flux, np.sqrt(variance), level, np.sqrt(level_variance), flags)


def _some_sums(
    pixels: Pixels, place: tuple[FloatArray, FloatArray], side: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, npt.NDArray[np.uint16]]:
    """Fluxes, variances, skies, their variances, and flags."""
    radius = APERTURE_RADIUS / side
    share = circle_shares(place, radius)
    half = share.shape[-1] // 2
    along = np.arange(-half, half + 1)
    column = np.rint(place[0]).astype(int)[:, None, None] + along[None, None, :]
    row = np.rint(place[1]).astype(int)[:, None, None] + along[None, :, None]
    inside, row, column = _on_image(pixels, row, column)
    usable = pixels.usable[row, column] & inside
    in_circle = share > 0
    lost = (in_circle & ~usable & ~usable[:, ::-1, ::-1]).any(axis=(1, 2))
    data, variance = (
        _mirrored(np.where(usable, plane[row, column], 0.0), usable)
        for plane in (pixels.data, pixels.variance)
    )
    level, level_variance = _sky(pixels, place, side)
    area = share.sum(axis=(1, 2))
    flux = (share * data).sum(axis=(1, 2)) - area * level
    spread = (share**2 * variance).sum(axis=(1, 2)) + area**2 * level_variance
    no_sky = ~np.isfinite(level)
    bits = (
        (PhotometryFlag.SATURATED, (in_circle & inside & pixels.saturated[row, column]).any(axis=(1, 2))),
        (PhotometryFlag.MASKED, (in_circle & inside & ~usable).any(axis=(1, 2))),
        (PhotometryFlag.EDGE, (in_circle & ~inside).any(axis=(1, 2))),
        (PhotometryFlag.NO_PIXELS, lost | no_sky),
        (PhotometryFlag.BAD_BACKGROUND, no_sky),
    )
    flags = np.zeros(side.size, np.uint16)
    for bit, mask in bits:
        flags[mask] |= np.uint16(bit)
    flux, spread = np.where(lost, np.nan, flux), np.where(lost | no_sky, np.nan, spread)
    return flux, spread, level, level_variance, flags


def circle_shares(place: tuple[FloatArray, FloatArray], radius: FloatArray) -> FloatArray:
    """Share of each pixel that lies in a circle, exactly.

    Parameters
    ----------
    place
        Middle of each circle, pixels x and y, shape (n,) each.
    radius
        Shape (n,): pixels.

    Returns
    -------
    ndarray
        Shape (n, size, size): around the pixel that holds the middle.
    """
    half = int(np.ceil(radius.max(initial=1.0) + 0.5))
    shares = np.zeros((radius.size, 2 * half + 1, 2 * half + 1))
    offset = [value - np.rint(value) for value in place]
    for k in range(radius.size):
        low_x, low_y = -half - 0.5 - offset[0][k], -half - 0.5 - offset[1][k]
        size = 2 * half + 1
        shares[k] = circular_overlap_grid(
            low_x, low_x + size, low_y, low_y + size, size, size, radius[k], 1, 1
        )
    return shares


def _on_image(
    pixels: Pixels, row: npt.NDArray[np.int64], column: npt.NDArray[np.int64]
) -> tuple[BoolArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which pixels are on the image, and their places, held at its edges."""
    ny, nx = pixels.data.shape
    inside = (row >= 0) & (row < ny) & (column >= 0) & (column < nx)
    return inside, np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)


def _mirrored(values: FloatArray, usable: BoolArray) -> FloatArray:
    """Stamps in which pixels that are not usable have the value of those opposite of the middle."""
    return np.where(usable, values, values[:, ::-1, ::-1])


def _sky(
    pixels: Pixels, place: tuple[FloatArray, FloatArray], side: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Median of the usable pixels of the annulus, and its variance; NaN where there are too few."""
    inner, outer = (radius / float(np.median(side)) if side.size else 1.0 for radius in ANNULUS)
    reach = int(np.ceil(outer))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    chosen = (np.hypot(dx, dy) >= inner) & (np.hypot(dx, dy) <= outer)
    row = np.rint(place[1]).astype(int)[:, None] + dy[chosen]
    column = np.rint(place[0]).astype(int)[:, None] + dx[chosen]
    inside, row, column = _on_image(pixels, row, column)
    good = inside & pixels.usable[row, column]
    number = good.sum(axis=1)
    known = number >= _LEAST_SKY
    level, variance = np.full(side.size, np.nan), np.full(side.size, np.nan)
    values = np.where(good, pixels.data[row, column], np.nan)[known]
    level[known] = np.nanmedian(values, axis=1)
    total = np.where(good, pixels.variance[row, column], 0.0).sum(axis=1)[known]
    variance[known] = _MEDIAN_VARIANCE * total / number[known] ** 2
    return level, variance
