"""Measurements of the sources of a detection: what does not depend on the band, and what does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.static_catalog.apertures import (
    KronEllipse,
    Plane,
    Windowed,
    circle_sums,
    ellipse_sums,
    half_light_radii,
    kron_ellipse,
    local_background,
    windowed_centroids,
)
from loaders.static_catalog.background import Band
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.dao import sharpness_and_roundness
from loaders.static_catalog.detection import Detection
from loaders.static_catalog.extended import Extent, measure_extent
from loaders.static_catalog.names import column
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.psf_flux import psf_fluxes
from loaders.static_catalog.psf_matching import psf_width
from loaders.static_catalog.segments import Moments, Segments, moments
from loaders.static_catalog.shapes import Shapes, measure_shapes
from loaders.static_catalog.sky import sky_axes, to_sky

Columns = dict[str, npt.NDArray[Any]]

_AB_ZERO_NJY = 3631e9
_MAGNITUDE = 2.5 / np.log(10)
_FWHM_OF_SIGMA = 2.3548200450309493


@dataclass(frozen=True)
class Sources:
    """The sources of a detection: places, shapes and apertures, in pixels of the images.

    Parameters
    ----------
    detection
        What was detected.
    segments
        Pixels of the sources.
    moments
        Isophotal positions and shapes in the detection image.
    kron
        Kron apertures.
    half_light
        Shape (n,): radius with half of the Kron flux in the detection image, pixels; NaN for none.
    windowed
        Windowed centroids.
    shapes
        Shapes corrected for the PSF.
    extent
        Breadth beyond the PSF in the detection image.
    x, y
        Shape (n,): best positions: windowed, or isophotal where there are none.
    """

    detection: Detection
    segments: Segments
    moments: Moments
    kron: KronEllipse
    half_light: FloatArray
    windowed: Windowed
    shapes: Shapes
    extent: Extent
    x: FloatArray
    y: FloatArray

    @property
    def count(self) -> int:
        """Number of sources."""
        return self.detection.count


def measure_sources(detection: Detection, options: CatalogOptions) -> Sources:
    """Measure what does not depend on the band, in the detection image."""
    plane = Plane(detection.data, detection.variance, detection.labels, detection.good, detection.inflation)
    segments = Segments.of(detection.labels)
    shape = moments(segments, detection.data, detection.variance, detection.inflation)
    kron = kron_ellipse(plane, shape, options)
    half = half_light_radii(plane, kron, ellipse_sums(plane, kron.x, kron.y, kron.ellipse).flux)
    window = windowed_centroids(plane, shape, half)
    x, y = (np.where(np.isfinite(w), w, m) for w, m in ((window.x, shape.x), (window.y, shape.y)))
    sky = _at(detection.sky_variance, x, y)
    return Sources(
        detection=detection,
        segments=segments,
        moments=shape,
        kron=kron,
        half_light=half,
        windowed=window,
        shapes=measure_shapes(plane, sky, detection.psf, (x, y, shape.semimajor)),
        extent=measure_extent(plane, detection.sky_variance, detection.psf, x, y),
        x=x,
        y=y,
    )


def _at(image: npt.NDArray[np.float32], x: FloatArray, y: FloatArray) -> FloatArray:
    """Value of the pixel at each place; NaN without a place."""
    known = np.isfinite(x) & np.isfinite(y)
    column_ = np.clip(np.rint(np.where(known, x, 0)), 0, image.shape[1] - 1).astype(int)
    row = np.clip(np.rint(np.where(known, y, 0)), 0, image.shape[0] - 1).astype(int)
    return np.where(known, image[row, column_].astype(float), np.nan)


def plane_of(band: Band, sources: Sources) -> Plane:
    """The image of a band to sum over the sources' apertures."""
    return Plane(band.data, band.variance, sources.detection.labels, band.good, band.inflation)


def flux_columns(band: Band, sources: Sources, tag: str, options: CatalogOptions) -> Columns:
    """Segment, Kron and aperture fluxes and local background of a band, native or PSF-matched.

    Parameters
    ----------
    band
        The band.
    sources
        The sources.
    tag
        Band in names of columns, see `loaders.static_catalog.names.column`.
    options
        The options.

    Returns
    -------
    dict
        Columns by name, shape (n,): nJy; local background nJy arcsec**-2.
    """
    plane, scale = plane_of(band, sources), band.image.pixel_scale
    kron = sources.kron
    columns: Columns = {}
    flux, error = sources.segments.flux(band.data, band.variance, band.inflation)
    pairs = {"segment_~band~_flux": (flux, error)}
    sums = ellipse_sums(plane, kron.x, kron.y, kron.ellipse)
    pairs["kron_~band~_flux"] = sums.flux, sums.flux_err
    inner, outer = (radius / scale for radius in options.annulus)
    around = local_background(plane, sources.x, sources.y, (inner, outer))
    pairs["aper_bkg_~band~_flux"] = around.level / scale**2, around.error / scale**2
    for radius in options.aperture_radii:
        circle = circle_sums(plane, sources.x, sources.y, radius / scale)
        pairs[column("aper~radius~_~band~_flux", "~band~", radius)] = circle.flux, circle.flux_err
    for template, (value, err) in pairs.items():
        columns[column(template, tag)] = value
        columns[column(f"{template}_err", tag)] = err
    return columns


def band_columns(band: Band, sources: Sources, tag: str, options: CatalogOptions) -> Columns:
    """Everything that is measured in a band itself: fluxes, PSF fit, magnitude, extent, DAOFIND's statistics.

    Parameters and return as of `flux_columns`.
    """
    plane = plane_of(band, sources)
    columns = flux_columns(band, sources, tag, options)
    flux, error = (columns[column(f"kron_~band~_flux{end}", tag)] for end in ("", "_err"))
    with np.errstate(divide="ignore", invalid="ignore"):
        lit = flux > 0
        columns[column("kron_~band~_abmag", tag)] = np.where(
            lit, -2.5 * np.log10(np.where(lit, flux, 1) / _AB_ZERO_NJY), np.nan
        )
        columns[column("kron_~band~_abmag_err", tag)] = np.where(lit, _MAGNITUDE * error / flux, np.nan)
    half = half_light_radii(plane, sources.kron, flux)
    columns[column("fluxfrac_radius_50_~band~", tag)] = half * band.image.pixel_scale
    extent = measure_extent(plane, band.sky_variance, band.psf, sources.x, sources.y)
    columns[column("is_extended_~band~", tag)] = extent.is_extended(
        options.extended_limit, options.extended_sigma
    )
    width = psf_width(band.psf) * _FWHM_OF_SIGMA
    sharpness, roundness = sharpness_and_roundness(band.data, sources.x, sources.y, width)
    columns[column("sharpness_~band~", tag)] = sharpness
    columns[column("roundness1_~band~", tag)] = roundness
    return columns | _psf_columns(band, sources, tag, columns)


def _psf_columns(band: Band, sources: Sources, tag: str, columns: Columns) -> Columns:
    """The fit of the PSF, in RAD's names."""
    guess = columns[column("kron_~band~_flux", tag)]
    fit = psf_fluxes(band, sources.x, sources.y, guess)
    ra, dec = to_sky(band.image.wcs, fit.x, fit.y)
    axes = sky_axes(band.image.wcs, fit.x, fit.y)
    ra_err, dec_err = axes.errors(fit.x_err, fit.y_err, np.zeros(fit.x.size))
    found: Columns = {
        "psf_~band~_flux": fit.flux,
        "psf_~band~_flux_err": fit.flux_err,
        "x_psf_~band~": fit.x,
        "x_psf_~band~_err": fit.x_err,
        "y_psf_~band~": fit.y,
        "y_psf_~band~_err": fit.y_err,
        "ra_psf_~band~": ra,
        "ra_psf_~band~_err": ra_err,
        "dec_psf_~band~": dec,
        "dec_psf_~band~_err": dec_err,
        "psf_gof_~band~": fit.gof,
        "psf_flags_~band~": fit.flags,
    }
    return {column(template, tag): value for template, value in found.items()}
