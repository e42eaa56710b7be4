"""Columns of sources that do not depend on the band, in RAD's names and units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from loaders.static_catalog.apertures import Plane, ellipse_sums, local_background
from loaders.static_catalog.correlation import FloatArray
from loaders.static_catalog.image import SkyImage
from loaders.static_catalog.measure import Columns, Sources
from loaders.static_catalog.names import ImageFlag, WarningFlag, flagged_spatial_id
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.segments import bounding_boxes
from loaders.static_catalog.sky import SkyAxes, nearest_neighbours, sky_axes, to_sky

_INCOMPLETE = 0.01
_NO_LABEL = -1


def source_columns(
    sources: Sources,
    image: SkyImage,
    options: CatalogOptions,
    dust_ebv: npt.ArrayLike = np.nan,
    region: int | None = None,
) -> Columns:
    """Positions, shapes, flags and neighbours of sources.

    Parameters
    ----------
    sources
        The sources.
    image
        Any image on their pixels.
    options
        The options.
    dust_ebv
        Reddening E(B-V), mag, of the Galaxy: one value or shape (n,); NaN where it is not known.
    region
        Number of the projection region, see `loaders.static_catalog.names.flagged_spatial_id`.

    Returns
    -------
    dict
        Columns by name, shape (n,).
    """
    axes = sky_axes(image.wcs, sources.x, sources.y)
    columns: Columns = {
        "label": np.arange(1, sources.count + 1),
        "flagged_spatial_id": flagged_spatial_id(
            image.sky_cell, region, sources.x, sources.y, image.pixel_scale
        ),
        "dust_ebv": np.broadcast_to(np.asarray(dust_ebv, dtype=float), (sources.count,)),
    }
    boxes = bounding_boxes(sources.detection.labels)
    names = ("bbox_xmin", "bbox_xmax", "bbox_ymin", "bbox_ymax")
    columns |= dict(zip(names, boxes, strict=True))
    columns |= _positions(sources, image, axes)
    columns |= _shapes(sources, image.pixel_scale, axes)
    columns |= _neighbours(sources, image.pixel_scale)
    columns["warning_flags"] = _warnings(sources, options, image.pixel_scale)
    columns["image_flags"] = _image_flags(sources)
    return columns


def _positions(sources: Sources, image: SkyImage, axes: SkyAxes) -> Columns:
    """Isophotal, windowed and best positions, in pixels and on the sky."""
    columns: Columns = {}
    for end, place in (("", sources.moments), ("_win", sources.windowed)):
        ra, dec = to_sky(image.wcs, place.x, place.y)
        ra_err, dec_err = axes.errors(place.x_err, place.y_err, place.xy_covariance)
        columns |= {
            f"x_centroid{end}": place.x,
            f"x_centroid{end}_err": place.x_err,
            f"y_centroid{end}": place.y,
            f"y_centroid{end}_err": place.y_err,
            f"ra_centroid{end}": ra,
            f"ra_centroid{end}_err": ra_err,
            f"dec_centroid{end}": dec,
            f"dec_centroid{end}_err": dec_err,
        }
    columns["ra"], columns["dec"] = to_sky(image.wcs, sources.x, sources.y)
    return columns


def _shapes(sources: Sources, scale: float, axes: SkyAxes) -> Columns:
    """Axes, angles and areas; lengths in arcsec."""
    shape = sources.moments
    major, minor, angle = axes.ellipse(shape.xx, shape.yy, shape.xy)
    cxx, cyy, cxy = (c / scale**2 for c in shape.ellipse())
    return {
        "semimajor": major,
        "semiminor": minor,
        "ellipticity": 1 - minor / major,
        "fwhm": 2 * np.sqrt(np.log(2) * (major**2 + minor**2)),
        "orientation_pix": np.degrees(shape.orientation),
        "orientation_sky": angle,
        "cxx": cxx,
        "cyy": cyy,
        "cxy": cxy,
        "kron_radius": sources.kron.first_moment_radius / shape.semimajor * major,
        "segment_area": sources.segments.area() * scale**2,
    }


def shape_columns(sources: Sources, image: SkyImage) -> dict[str, tuple[npt.NDArray[Any], str, str]]:
    """Shapes corrected for the PSF, for which RAD has no columns.

    Returns
    -------
    dict
        Values, unit and description by name.
    """
    axes = sky_axes(image.wcs, sources.x, sources.y)
    e1, e2 = _on_sky(sources.shapes.e1, sources.shapes.e2, axes)
    shapes, scale = sources.shapes, image.pixel_scale
    about = "corrected for the PSF by re-Gaussianisation; north through east"
    return {
        "shape_e1": (e1, "none", f"(a**2 - b**2) / (a**2 + b**2) times cos(2 position angle), {about}"),
        "shape_e2": (e2, "none", f"(a**2 - b**2) / (a**2 + b**2) times sin(2 position angle), {about}"),
        "shape_e_err": (shapes.e_err, "none", "Uncertainty in shape_e1 and in shape_e2"),
        "shape_sigma": (shapes.sigma * scale, "arcsec", "Adaptive size, not corrected for the PSF"),
        "shape_resolution": (
            shapes.resolution,
            "none",
            "0 for a point source, 1 if much larger than the PSF",
        ),
        "spread": (sources.extent.spread, "none", "Light beyond that of the PSF: 0 for a point source"),
        "spread_err": (sources.extent.spread_err, "none", "Uncertainty in spread"),
        "parent_label": (sources.detection.parent, "none", "Connected group that the source is a part of"),
        "peak_snr": (
            sources.detection.peak_snr,
            "none",
            "Highest signal-to-noise ratio of the detection filter",
        ),
    }


def _on_sky(e1: FloatArray, e2: FloatArray, axes: SkyAxes) -> tuple[FloatArray, FloatArray]:
    """Turn an ellipticity from the x axis to north through east."""
    size, angle = np.hypot(e1, e2), 0.5 * np.arctan2(e2, e1)
    position_angle = np.radians(axes.position_angle(angle))
    return size * np.cos(2 * position_angle), size * np.sin(2 * position_angle)


def _neighbours(sources: Sources, scale: float) -> Columns:
    nearest, distance = nearest_neighbours(sources.x, sources.y)
    return {
        "nn_label": np.where(nearest >= 0, nearest + 1, _NO_LABEL),
        "nn_distance": distance * scale,
    }


def _warnings(sources: Sources, options: CatalogOptions, scale: float) -> npt.NDArray[np.int64]:
    """Bits of `WarningFlag`."""
    detection = sources.detection
    plane = Plane(detection.data, detection.variance, detection.labels, detection.good, detection.inflation)
    kron = ellipse_sums(plane, sources.kron.x, sources.kron.y, sources.kron.ellipse)
    inner, outer = (radius / scale for radius in options.annulus)
    around = local_background(plane, sources.x, sources.y, (inner, outer))
    siblings = np.bincount(detection.parent, minlength=1)[detection.parent] > 1
    bits = (
        (WarningFlag.DEBLENDED, siblings),
        (WarningFlag.APERTURE_INCOMPLETE, ~(kron.missing <= _INCOMPLETE)),
        (WarningFlag.NO_WINDOWED_CENTROID, ~np.isfinite(sources.windowed.x)),
        (WarningFlag.NO_LOCAL_BACKGROUND, ~np.isfinite(around.level)),
        (WarningFlag.NO_KRON_FLUX, ~(kron.flux > 0)),
        (WarningFlag.HALF_LIGHT_FAILED, ~np.isfinite(sources.half_light)),
    )
    return _joined(bits, sources.count)


def _image_flags(sources: Sources) -> npt.NDArray[np.int64]:
    """Bits of `ImageFlag`."""
    labels, good = sources.detection.labels, sources.detection.good
    near = binary_dilation(~good, structure=np.ones((3, 3), dtype=bool)) if not good.all() else ~good
    holes = np.bincount(labels[near], minlength=sources.count + 1)[1:] > 0
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    edge = np.bincount(rim, minlength=sources.count + 1)[1:] > 0
    return _joined(((ImageFlag.EDGE, edge), (ImageFlag.HOLE, holes)), sources.count)


def _joined(bits: Any, count: int) -> npt.NDArray[np.int64]:
    flags = np.zeros(count, dtype=np.int64)
    for bit, mask in bits:
        flags[mask] |= int(bit)
    return flags
