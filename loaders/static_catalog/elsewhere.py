"""Sources that were detected on the pixels of another image, carried over to those of this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.static_catalog.apertures import KronEllipse, Windowed
from loaders.static_catalog.background import Band
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.detection import Detection
from loaders.static_catalog.extended import Extent
from loaders.static_catalog.measure import Sources
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.segments import Int32Array, IntArray, Moments, Segments
from loaders.static_catalog.shapes import Shapes
from loaders.static_catalog.sky import SkyAxes, sky_axes
from loaders.wfi.projection import SkyProjection

_ROWS = 256
"""Rows of pixels that are looked up in a segmentation map at a time."""


@dataclass(frozen=True)
class ForeignSources:
    """Sources of another detection.

    Parameters
    ----------
    columns
        Columns of their catalog by RAD's names and in RAD's units, shape (n,) each; source k has label k + 1.
    labels
        Shape (ny, nx): segmentation map of the detection.
    projection
        Pixels of the map to the sky and back.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    labels: npt.NDArray[np.integer]
    projection: SkyProjection


def sources_on(band: Band, found: ForeignSources, options: CatalogOptions) -> tuple[Sources, IntArray]:
    """Sources of another detection in the pixels of a band, those whose places are on it.

    Places, axes and apertures follow from those on the sky. A pixel belongs to the source on whose segment
    its middle lies; a source whose segment holds no middle has the pixel in which it lies, and is left out
    only if others have all of its pixels.

    Parameters
    ----------
    band
        The band.
    found
        The sources.
    options
        The options that they were measured with.

    Returns
    -------
    Sources
        Without shapes and extents (NaN), which belong to the image of the detection.
    ndarray
        Shape (m,): labels of these sources in the other detection.
    """
    place = _places(band, found)
    labels, kept = _labels(band, found, place)
    columns = {name: np.asarray(values)[kept] for name, values in found.columns.items()}
    x, y = (axis[kept] for axis in place)
    axes = sky_axes(band.image.wcs, x, y)
    moments = _moments(band, columns, axes)
    sources = Sources(
        detection=_detection(band, labels, kept.size),
        segments=Segments.of(labels),
        moments=moments,
        kron=_kron(moments, columns, options),
        half_light=np.full(kept.size, np.nan),
        windowed=_windowed(band, columns, axes),
        shapes=Shapes(*np.full((5, kept.size), np.nan)),
        extent=Extent(*np.full((2, kept.size), np.nan)),
        x=x,
        y=y,
    )
    return sources, kept + 1


def _places(band: Band, found: ForeignSources) -> tuple[FloatArray, FloatArray]:
    """Pixels of the best positions, shape (n,); NaN far off the image."""
    ra, dec = (np.asarray(found.columns[name], dtype=float) for name in ("ra", "dec"))
    x, y = band.image.wcs.invert(ra, dec, with_bounding_box=False)
    return np.asarray(x), np.asarray(y)


def _labels(
    band: Band, found: ForeignSources, place: tuple[FloatArray, FloatArray]
) -> tuple[Int32Array, IntArray]:
    """Segmentation map with labels from 1 without gaps, and the rows of the sources that it holds."""
    shape = band.data.shape
    theirs = _looked_up(band, found)
    x, y = place
    with np.errstate(invalid="ignore"):
        on_image = (x >= -0.5) & (x < shape[1] - 0.5) & (y >= -0.5) & (y < shape[0] - 0.5)
    has_pixel = np.bincount(theirs.ravel(), minlength=on_image.size + 1)[1:] > 0
    lost = np.flatnonzero(on_image & ~has_pixel)
    theirs[np.rint(y[lost]).astype(int), np.rint(x[lost]).astype(int)] = lost + 1
    has_pixel = np.bincount(theirs.ravel(), minlength=on_image.size + 1)[1:] > 0
    kept = np.flatnonzero(on_image & has_pixel)
    new = np.zeros(on_image.size + 1, dtype=np.int32)
    new[kept + 1] = np.arange(1, kept.size + 1)
    return new[theirs], kept


def _looked_up(band: Band, found: ForeignSources) -> IntArray:
    """Label of the other map under the middle of each pixel, shape of the band; 0 where there is none."""
    ny, nx = band.data.shape
    theirs = np.zeros((ny, nx), dtype=np.int64)
    column = np.arange(nx, dtype=float)
    for begin in range(0, ny, _ROWS):
        row = np.arange(begin, min(begin + _ROWS, ny), dtype=float)
        x, y = (axis.ravel() for axis in np.meshgrid(column, row))
        ra, dec = band.image.wcs(x, y, with_bounding_box=False)
        u, v = found.projection.to_pixel(ra, dec)
        inside = found.projection.inside(np.nan_to_num(u, nan=-9.0), np.nan_to_num(v, nan=-9.0))
        chosen = np.rint(v[inside]).astype(int), np.rint(u[inside]).astype(int)
        theirs[begin : begin + row.size].ravel()[inside] = found.labels[chosen]
    return theirs


def _detection(band: Band, labels: Int32Array, count: int) -> Detection:
    """The band in place of the image of the detection; each source is its own group."""
    return Detection(
        labels=labels,
        parent=np.arange(1, count + 1, dtype=np.int32),
        peak_snr=np.full(count, np.nan),
        data=band.data,
        variance=band.variance,
        sky_variance=band.sky_variance,
        good=band.good,
        psf=band.psf,
        inflation=band.inflation,
    )


def _moments(band: Band, columns: Mapping[str, npt.NDArray[Any]], axes: SkyAxes) -> Moments:
    """Isophotal places and second moments of the detection."""
    x, y, x_err, y_err, covariance = _centroid(band, columns, axes, "")
    angle = np.radians(columns["orientation_sky"])
    major, minor = (np.asarray(columns[name], dtype=float) for name in ("semimajor", "semiminor"))
    along = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    across = np.stack([np.cos(angle), -np.sin(angle)], axis=-1)
    sky = (major**2)[:, None, None] * _square(along) + (minor**2)[:, None, None] * _square(across)
    second = _in_pixels(sky, axes)
    return Moments(x, y, x_err, y_err, covariance, second[:, 0, 0], second[:, 1, 1], second[:, 0, 1])


def _square(vectors: FloatArray) -> FloatArray:
    """Products of the components of vectors, shape (n, 2, 2)."""
    return np.asarray(vectors[:, :, None] * vectors[:, None, :])


def _in_pixels(sky: FloatArray, axes: SkyAxes) -> FloatArray:
    """Second moments, shape (n, 2, 2), in pixels (x, y) from those in arcsec (east, north)."""
    matrix = np.stack(
        [np.stack([axes.east_x, axes.east_y], axis=-1), np.stack([axes.north_x, axes.north_y], axis=-1)],
        axis=-2,
    )
    inverse = np.linalg.inv(matrix)
    return np.asarray(inverse @ sky @ np.swapaxes(inverse, 1, 2))


def _centroid(
    band: Band, columns: Mapping[str, npt.NDArray[Any]], axes: SkyAxes, end: str
) -> tuple[FloatArray, ...]:
    """Place of a kind with errors and covariance; errors on the sky are taken to be independent."""
    ra, dec, ra_err, dec_err = (
        np.asarray(columns[f"{name}_centroid{end}{err}"], dtype=float)
        for err in ("", "_err")
        for name in ("ra", "dec")
    )
    x, y = band.image.wcs.invert(ra, dec, with_bounding_box=False)
    sky = np.zeros((ra.size, 2, 2))
    sky[:, 0, 0], sky[:, 1, 1] = ra_err**2, dec_err**2
    found = _in_pixels(sky, axes)
    return np.asarray(x), np.asarray(y), np.sqrt(found[:, 0, 0]), np.sqrt(found[:, 1, 1]), found[:, 0, 1]


def _windowed(band: Band, columns: Mapping[str, npt.NDArray[Any]], axes: SkyAxes) -> Windowed:
    """Windowed places of the detection."""
    return Windowed(*_centroid(band, columns, axes, "_win"))


def _kron(moments: Moments, columns: Mapping[str, npt.NDArray[Any]], options: CatalogOptions) -> KronEllipse:
    """Kron's apertures of the detection."""
    radius = np.asarray(columns["kron_radius"], dtype=float) / np.asarray(columns["semimajor"], dtype=float)
    size, first = options.kron_factor * radius, radius * moments.semimajor
    cxx, cyy, cxy = (c / size**2 for c in moments.ellipse())
    return KronEllipse(moments.x, moments.y, (cxx, cyy, cxy), radius, first, options.kron_factor * first)
