"""The space of corrections to a PSF, and what is known of them before the data are seen.

A correction is a Gaussian process: white noise, limited to what passes a telescope and a square pixel, times
an envelope that follows the starting PSF, so that a correction is a few per cent of what is near it. Its
sum is zero: the flux within the stamp of the starting PSF is kept. Over the image it may vary linearly.
Where the data say nothing, the correction is zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

from loaders.psf.model import FloatArray

_TAPER_PIXELS = 2.0
"""Width of the border over which a correction falls to zero."""


@dataclass(frozen=True)
class CorrectionSpace:
    """Corrections of the spline coefficients of a PSF at nodes over an image.

    Parameters
    ----------
    envelope
        Shape (n_plane, size, size): standard deviation of a correction, for each plane.
    transfer
        Shape (size, size // 2 + 1): what passes, in the order of `numpy.fft.rfft2`.
    spline
        Shape (size, size // 2 + 1): transfer function of the cubic B-spline at the grid points.
    planes
        Shape (n_plane, n_node): how much of each plane a node gets.
    scale
        Shape (n_plane, size, size): factors on the unknowns that make a solution converge quickly.
    keep_sum
        Whether the sum of a correction is zero.
    """

    envelope: FloatArray
    transfer: FloatArray
    spline: FloatArray
    planes: FloatArray
    scale: FloatArray
    keep_sum: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the unknowns, (n_plane, size, size)."""
        return self.envelope.shape

    def coefficients(self, white: FloatArray) -> FloatArray:
        """Corrections of the spline coefficients, shape (n_node, size, size), of white unknowns."""
        planes = self._filter(self.envelope * self._filter(white, self.transfer), self.transfer / self.spline)
        planes = planes - self._shape_of_sum() * planes.sum(axis=(1, 2), keepdims=True)
        return np.asarray(np.tensordot(self.planes.T, planes, axes=1))

    def project(self, coefficients: FloatArray) -> FloatArray:
        """The transpose of `coefficients`: shape (n_node, size, size) to (n_plane, size, size)."""
        planes = np.tensordot(self.planes, coefficients, axes=1)
        planes = planes - (self._shape_of_sum() * planes).sum(axis=(1, 2), keepdims=True)
        return self._filter(self.envelope * self._filter(planes, self.transfer / self.spline), self.transfer)

    def conditioned(self, information: FloatArray) -> CorrectionSpace:
        """Set ``scale`` for data of given information on each coefficient, shape (size, size)."""
        smooth = gaussian_filter(information, 2.0, mode="nearest")
        return replace(self, scale=1 / np.sqrt(1 + self.envelope**2 * smooth))

    def _shape_of_sum(self) -> FloatArray:
        """What is subtracted, times the sum, to make the sum zero."""
        if not self.keep_sum:
            return np.zeros(1)
        squared = self.envelope**2
        return np.asarray(squared / squared.sum(axis=(1, 2), keepdims=True))

    @staticmethod
    def _filter(planes: FloatArray, transfer: FloatArray) -> FloatArray:
        return np.asarray(np.fft.irfft2(np.fft.rfft2(planes) * transfer, planes.shape[-2:]))


def correction_space(
    stamp: FloatArray,
    oversampling: int,
    cutoff: float,
    amplitude: tuple[float, ...],
    planes: FloatArray,
    keep_sum: bool = True,
) -> CorrectionSpace:
    """Set up the corrections of a starting PSF.

    Parameters
    ----------
    stamp
        Shape (size, size): the starting PSF.
    oversampling
        Grid steps per pixel.
    cutoff
        Highest frequency that the telescope passes, cycles per pixel.
    amplitude
        Standard deviation of a correction relative to the PSF nearby, for each plane.
    planes
        Shape (n_plane, n_node): how much of each plane a node gets.
    keep_sum
        Whether a correction leaves the sum of the PSF as it is.

    Returns
    -------
    CorrectionSpace
        With unit ``scale``, for spline coefficients framed by one row and column.
    """
    size = stamp.shape[0] + 2
    reach = 2 * oversampling + 1
    local = gaussian_filter(maximum_filter(np.abs(stamp), reach), oversampling, mode="nearest")
    distance = np.abs(np.arange(stamp.shape[0]) - stamp.shape[0] // 2) / oversampling
    edge = np.clip((distance[-1] - np.maximum(distance[:, None], distance)) / _TAPER_PIXELS, 0, 1)
    envelope = np.pad(local * edge, 1) * np.asarray(amplitude)[:, None, None]
    rows, columns = np.fft.fftfreq(size), np.fft.rfftfreq(size)
    frequency = np.hypot(rows[:, None], columns[None, :]) * oversampling
    transfer = 1 / (1 + (frequency / cutoff) ** 16)
    # The root keeps the pixel's zeros and yet lets the data correct a start that is wrong close to them.
    transfer *= np.sqrt(np.abs(np.outer(np.sinc(rows * oversampling), np.sinc(columns * oversampling))))
    spline = np.outer(2 + np.cos(2 * np.pi * rows), 2 + np.cos(2 * np.pi * columns)) / 9
    return CorrectionSpace(envelope, transfer, spline, planes, np.ones_like(envelope), keep_sum)
