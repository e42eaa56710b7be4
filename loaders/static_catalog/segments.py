"""Isophotal measurements: sums and moments over the pixels of each source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from loaders.static_catalog.correlation import AreaInflation, FloatArray
from loaders.static_catalog.image import Float32Array

Int32Array = npt.NDArray[np.int32]
IntArray = npt.NDArray[np.int64]

_PIXEL_VARIANCE = 1.0 / 12.0
"""Second moment of a pixel: no source is taken to be smaller."""


@dataclass(frozen=True)
class Segments:
    """Pixels of sources, sorted by label.

    Parameters
    ----------
    pixel
        Shape (m,): flat positions in the image.
    row
        Shape (m,): source (label minus 1) of each.
    shape
        Shape of the image.
    count
        Number of sources.
    """

    pixel: IntArray
    row: IntArray
    shape: tuple[int, int]
    count: int

    @classmethod
    def of(cls, labels: Int32Array) -> Segments:
        """Pixels of a segmentation map whose labels are 1 to n."""
        pixel = np.flatnonzero(labels)
        row = labels.ravel()[pixel].astype(np.int64) - 1
        order = np.argsort(row, kind="stable")
        shape = (labels.shape[0], labels.shape[1])
        return cls(pixel[order], row[order], shape, int(row.max(initial=-1)) + 1)

    @property
    def x(self) -> IntArray:
        """Column of each pixel."""
        return np.asarray(self.pixel % self.shape[1])

    @property
    def y(self) -> IntArray:
        """Row of the image of each pixel."""
        return np.asarray(self.pixel // self.shape[1])

    def sum(self, values: npt.ArrayLike) -> FloatArray:
        """Sum of a value of each pixel, shape (m,), over the sources, shape (count,)."""
        total = np.bincount(self.row, weights=np.asarray(values, dtype=float), minlength=self.count)
        return np.asarray(total, dtype=float)

    def area(self) -> FloatArray:
        """Pixels of each source, shape (count,)."""
        return np.bincount(self.row, minlength=self.count).astype(float)

    def flux(
        self, data: Float32Array, variance: Float32Array, factor: AreaInflation
    ) -> tuple[FloatArray, FloatArray]:
        """Isophotal flux and its error, in the unit of the image.

        Parameters
        ----------
        data, variance
            Shape of the image.
        factor
            What correlated noise does to variances.
        """
        flux, spread = self.sum(data.ravel()[self.pixel]), self.sum(variance.ravel()[self.pixel])
        return flux, np.sqrt(spread * factor.at(self.area()))


@dataclass(frozen=True)
class Moments:
    """Position and shape from moments of the light in the segment; all arrays of shape (n,), in pixels.

    Negative pixels count as zero. NaN where a segment has no light.

    Parameters
    ----------
    x, y
        Centroid, 0-based.
    x_err, y_err, xy_covariance
        Standard errors and covariance from the noise model.
    xx, yy, xy
        Central second moments, at least those of a pixel.
    """

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    xy_covariance: FloatArray
    xx: FloatArray
    yy: FloatArray
    xy: FloatArray

    @property
    def semimajor(self) -> FloatArray:
        """Root of the larger eigenvalue of the second moments."""
        return np.sqrt(self._mean() + self._half_range())

    @property
    def semiminor(self) -> FloatArray:
        """Root of the smaller eigenvalue."""
        return np.sqrt(np.maximum(self._mean() - self._half_range(), 0))

    @property
    def orientation(self) -> FloatArray:
        """Angle from the x axis to the major axis, counter-clockwise, rad, within a quarter turn."""
        return np.asarray(0.5 * np.arctan2(2 * self.xy, self.xx - self.yy))

    def ellipse(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coefficients of x**2, y**2 and xy of the ellipse of the axes, 1/pixel**2."""
        determinant = self.xx * self.yy - self.xy**2
        return self.yy / determinant, self.xx / determinant, -2 * self.xy / determinant

    def _mean(self) -> FloatArray:
        return np.asarray((self.xx + self.yy) / 2)

    def _half_range(self) -> FloatArray:
        return np.hypot((self.xx - self.yy) / 2, self.xy)


def moments(segments: Segments, data: Float32Array, variance: Float32Array, factor: AreaInflation) -> Moments:
    """Moments of the light of each source.

    The error of a centroid is that of a ratio of sums over pixels: ``var(x) = sum var_i (x_i - x)**2 /
    flux**2``. It holds for the fixed pixels of the segment.

    Parameters
    ----------
    segments
        The pixels of the sources.
    data, variance
        Shape of the image: data without background, and its variance.
    factor
        What correlated noise does to variances.
    """
    light = np.maximum(data.ravel()[segments.pixel], 0).astype(float)
    spread = variance.ravel()[segments.pixel].astype(float)
    x, y, row = segments.x, segments.y, segments.row
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = segments.sum(light)
        x_mean, y_mean = segments.sum(light * x) / flux, segments.sum(light * y) / flux
        dx, dy = x - x_mean[row], y - y_mean[row]
        second = [segments.sum(light * product) / flux for product in (dx * dx, dy * dy, dx * dy)]
        scale = factor.at(segments.area()) / flux**2
        errors = [segments.sum(spread * product) * scale for product in (dx * dx, dy * dy, dx * dy)]
    xx, yy, xy = _no_smaller_than_a_pixel(*second)
    return Moments(x_mean, y_mean, np.sqrt(errors[0]), np.sqrt(errors[1]), errors[2], xx, yy, xy)


def _no_smaller_than_a_pixel(
    xx: FloatArray, yy: FloatArray, xy: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Add a pixel's second moment to sources that have no width."""
    thin = xx * yy - xy**2 < _PIXEL_VARIANCE**2
    more = np.where(thin, _PIXEL_VARIANCE, 0.0)
    return xx + more, yy + more, xy


def bounding_boxes(labels: Int32Array) -> Int32Array:
    """First and last column, first and last row of each source, shape (4, n)."""
    boxes = [
        (part[1].start, part[1].stop - 1, part[0].start, part[0].stop - 1)
        for part in find_objects(labels)
        if part is not None
    ]
    return np.array(boxes, dtype=np.int32).reshape(-1, 4).T
