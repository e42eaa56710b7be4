"""Catalogued objects measured in one mosaic: PSF fits at their places, and sums in circles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.astrometry.stars import CatalogStars, julian_year, near_image
from loaders.photometry.apertures import APERTURE_RADIUS, Pixels, aperture_sums
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.measure import MARGIN, ExposureMeasurement
from loaders.psf.model import EffectivePsf
from loaders.static_catalog.background import Band, prepare_band
from loaders.static_catalog.correlation import AreaInflation, FloatArray
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.psf_flux import psf_fluxes
from loaders.wfi.times import AU, sun_earth_l2


def mosaic_pixels(
    image: SkyImage, astrometry: CatalogAstrometry, mjd_tdb: float
) -> tuple[FloatArray, FloatArray]:
    """Pixels at which a mosaic shows objects at its mean time (MJD TDB), the telescope being at L2."""
    observer = sun_earth_l2(mjd_tdb).position / AU
    ra, dec = place_at(astrometry, julian_year(mjd_tdb), observer)
    x, y = image.wcs.invert(ra, dec, with_bounding_box=False)
    return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


def measure_psf(
    image: SkyImage, psf: EffectivePsf, stars: CatalogStars, mjd_tdb: float, number: int
) -> ExposureMeasurement:
    """Fit the PSF to all catalogued objects of a mosaic together, their places being held.

    Parameters
    ----------
    image, psf
        The mosaic, and its PSF in its pixels.
    stars
        Objects that it may show.
    mjd_tdb
        Its mean time.
    number
        What the block calls it in place of an exposure.

    Raises
    ------
    Rejected
        Code ``no_background`` of `prepare_band`.
    """
    band = prepare_band(image, psf, CatalogOptions())
    x, y = mosaic_pixels(image, stars.astrometry, mjd_tdb)
    near = np.flatnonzero(near_image(image.data.shape, x, y, MARGIN))
    fit = psf_fluxes(band, x[near], y[near], stars.flux[near], fit_positions=False)
    inside = (fit.flags & PhotometryFlag.OUTSIDE) == 0
    star = near[inside]
    level = _background_at(band, x[star], y[star])
    empty = _nothing_measured(number, star)
    return replace(
        empty,
        flux=fit.flux[inside],
        flux_err=fit.flux_err[inside],
        background=level,
        flags=fit.flags[inside].astype(np.uint16),
        reduced_chi2=fit.gof[inside],
    )


def measure_circles(image: SkyImage, stars: CatalogStars, mjd_tdb: float, number: int) -> ExposureMeasurement:
    """Sum the light of the catalogued objects of a mosaic in circles, less the sky around each.

    As `loaders.photometry.apertures.measure_apertures` does in exposures; errors are grown for the noise that
    pixels share. Parameters as of `measure_psf`.
    """
    x, y = mosaic_pixels(image, stars.astrometry, mjd_tdb)
    star = np.flatnonzero(near_image(image.data.shape, x, y, 0.0))
    data = np.where(image.good, image.data, 0.0).astype(np.float64)
    variance = np.where(image.good, image.variance, 0.0).astype(np.float64)
    pixels = Pixels(data, variance, image.good, np.zeros_like(image.good))
    sums = aperture_sums(pixels, (x[star], y[star]), np.full(star.size, image.pixel_scale))
    area = np.pi * (APERTURE_RADIUS / image.pixel_scale) ** 2
    more = float(np.sqrt(AreaInflation.of(image.correlation).at(area)))
    return replace(
        _nothing_measured(number, star),
        flux=sums.flux,
        flux_err=sums.flux_err * more,
        background=sums.background,
        flags=sums.flags,
    )


def _background_at(band: Band, x: FloatArray, y: FloatArray) -> FloatArray:
    """Background that was subtracted at places, nJy a pixel; NaN where no pixel counts."""
    ny, nx = band.data.shape
    column = np.clip(np.rint(x), 0, nx - 1).astype(int)
    row = np.clip(np.rint(y), 0, ny - 1).astype(int)
    return np.asarray(band.background[row, column], dtype=float)


def _nothing_measured(number: int, star: npt.NDArray[np.int64]) -> ExposureMeasurement:
    """A measurement of objects in which everything is NaN."""
    unknown = np.full(star.size, np.nan)
    return ExposureMeasurement(
        exposure_id=number,
        star=star,
        flux=unknown,
        flux_err=unknown,
        background=unknown,
        flags=np.zeros(star.size, np.uint16),
        reduced_chi2=unknown,
        crowding=unknown,
        offset_ra=unknown,
        offset_dec=unknown,
        offset_ra_err=unknown,
        offset_dec_err=unknown,
        shape=np.full((6, star.size), np.nan),
        shift=(float("nan"), float("nan")),
    )
