"""Photometry through apertures: circles, Kron's ellipses, the annulus of the local background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.static_catalog import pixel_sums
from loaders.static_catalog.correlation import AreaInflation, FloatArray
from loaders.static_catalog.image import BoolArray, Float32Array
from loaders.static_catalog.options import CatalogOptions
from loaders.static_catalog.segments import Int32Array, Moments

_LARGEST_AXIS = 60.0
"""Pixels: semimajor axis at which the ellipse of moments is cut, so that no source sums a whole mosaic."""
_MEDIAN_VARIANCE = np.pi / 2
"""Variance of a median over that of a mean, for Gaussian noise."""


@dataclass(frozen=True)
class Plane:
    """An image to sum in apertures.

    Parameters
    ----------
    data, variance
        Shape (ny, nx): nJy a pixel without background, and its variance.
    labels
        Shape (ny, nx): segmentation map; the light of neighbours is replaced by what is opposite.
    good
        Shape (ny, nx): pixels that count.
    inflation
        What correlated noise does to variances of sums.
    """

    data: Float32Array
    variance: Float32Array
    labels: Int32Array
    good: BoolArray
    inflation: AreaInflation

    @property
    def image(self) -> pixel_sums.Image:
        """What the compiled loops take."""
        return self.data, self.variance, self.labels, self.good


@dataclass(frozen=True)
class Sums:
    """Sums over one aperture of each source, shape (n,); NaN where it has no place or aperture.

    Parameters
    ----------
    flux, flux_err
        Sum of the data and its error, in the unit of the image.
    area
        Pixels.
    missing
        Share of the area in which neither a pixel nor the one opposite counts; its light is missing.
    """

    flux: FloatArray
    flux_err: FloatArray
    area: FloatArray
    missing: FloatArray


def ellipse_sums(
    plane: Plane, x: FloatArray, y: FloatArray, ellipse: tuple[FloatArray, FloatArray, FloatArray]
) -> Sums:
    """Sum an image in an ellipse around each source; source k has the label k + 1.

    Parameters
    ----------
    plane
        The image.
    x, y
        Shape (n,): centres, 0-based pixels.
    ellipse
        Coefficients of x**2, y**2 and xy, shape (n,) each, 1/pixel**2.
    """
    out = np.full((x.size, 4), np.nan)
    table = np.ascontiguousarray(np.stack(np.broadcast_arrays(*ellipse, x)[:3], axis=1))
    pixel_sums.ellipse_sums(plane.image, sources(x, y), table, out)
    flux, spread, area, missing = out.T
    return Sums(flux, np.sqrt(spread * plane.inflation.at(area)), area, missing / area)


def circle_sums(plane: Plane, x: FloatArray, y: FloatArray, radius: float) -> Sums:
    """Sum an image in circles of a radius in pixels; see `ellipse_sums`."""
    c = np.full(x.size, 1 / radius**2)
    return ellipse_sums(plane, x, y, (c, c, np.zeros(x.size)))


def sources(x: FloatArray, y: FloatArray) -> FloatArray:
    """Rows x, y, label, the labels being 1 to n."""
    return np.ascontiguousarray(np.stack([x, y, np.arange(1.0, x.size + 1)], axis=1))


@dataclass(frozen=True)
class KronEllipse:
    """Kron's aperture of each source, shape (n,).

    Parameters
    ----------
    x, y
        Centre, pixels.
    ellipse
        Coefficients of x**2, y**2 and xy of the aperture, 1/pixel**2.
    radius
        First-moment radius in units of the axes from moments.
    first_moment_radius, semimajor
        The same along the major axis, and semimajor axis of the aperture, pixels.
    """

    x: FloatArray
    y: FloatArray
    ellipse: tuple[FloatArray, FloatArray, FloatArray]
    radius: FloatArray
    first_moment_radius: FloatArray
    semimajor: FloatArray


def kron_ellipse(plane: Plane, moments: Moments, options: CatalogOptions) -> KronEllipse:
    """Find the aperture that holds most of the light of a galaxy whatever its profile (Kron 1980).

    Its radius is ``kron_factor`` times the mean radius of the light in the ellipse of six times the axes,
    which is held at ``kron_minimum`` from below, for the noise around faint sources.
    """
    shrink = np.minimum(_LARGEST_AXIS / moments.semimajor, 1.0)
    unit = tuple(np.asarray(c / shrink**2) for c in moments.ellipse())
    radius = np.full(moments.x.size, np.nan)
    table = np.ascontiguousarray(np.stack(unit, axis=1))
    pixel_sums.first_moment_radii(plane.image, sources(moments.x, moments.y), table, radius)
    radius = np.where(np.isfinite(radius), np.clip(radius, options.kron_minimum, 6.0), options.kron_minimum)
    scale = options.kron_factor * radius
    cxx, cyy, cxy = (c / scale**2 for c in unit)
    semimajor = moments.semimajor * shrink
    return KronEllipse(moments.x, moments.y, (cxx, cyy, cxy), radius, radius * semimajor, scale * semimajor)


def half_light_radii(plane: Plane, kron: KronEllipse, kron_flux: FloatArray) -> FloatArray:
    """Radius in pixels of the circle with half of the Kron flux, shape (n,); NaN where there is none."""
    out = np.full(kron.x.size, np.nan)
    flux, limit = np.nan_to_num(kron_flux) / 2, np.nan_to_num(kron.semimajor)
    pixel_sums.fraction_radii(plane.image, sources(kron.x, kron.y), flux, limit, out)
    return out


@dataclass(frozen=True)
class LocalBackground:
    """Median of the pixels of no source in an annulus, shape (n,), a pixel; NaN where there are none."""

    level: FloatArray
    error: FloatArray


def local_background(
    plane: Plane, x: FloatArray, y: FloatArray, radii: tuple[float, float]
) -> LocalBackground:
    """Background around each source; ``radii`` in pixels. It is measured, not subtracted."""
    out = np.full((x.size, 3), np.nan)
    pixel_sums.annulus_medians(plane.image, sources(x, y), radii, out)
    level, variance, number = out.T
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(_MEDIAN_VARIANCE * variance / number * plane.inflation.at(number))
    return LocalBackground(level, error)


@dataclass(frozen=True)
class Windowed:
    """Windowed centroids, shape (n,), 0-based pixels; NaN where they did not converge."""

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    xy_covariance: FloatArray


def windowed_centroids(plane: Plane, moments: Moments, half_light: npt.ArrayLike) -> Windowed:
    """Centroids in a Gaussian window; where there is no half-light radius, that of the moments is taken."""
    size = np.sqrt(moments.semimajor * moments.semiminor) * 1.1774
    radius = np.clip(np.where(np.isfinite(half_light), half_light, size), 0.7, _LARGEST_AXIS / 4)
    out = np.full((moments.x.size, 5), np.nan)
    start = sources(moments.x, moments.y)
    pixel_sums.windowed_centroids(plane.image, start, np.nan_to_num(radius), 10.0, out)
    factor = plane.inflation.at(4 * np.pi * (2 * radius / 2.3548) ** 2)
    x, y = out[:, 0], out[:, 1]
    x_var, y_var, covariance = (out[:, 2:] * factor[:, None]).T
    return Windowed(x, y, np.sqrt(x_var), np.sqrt(y_var), covariance)
