"""Peaks of a significance map, to a fraction of a node."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.detection.layer import SearchOptions
from loaders.detection.significance import Sums
from loaders.psf.model import FloatArray


def find_peaks(sums: Sums, options: SearchOptions) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Find the places where a star fits best.

    Parameters
    ----------
    sums
        Sums over all images.
    options
        Threshold, errors of the PSF, and scale: a peak is the highest place within a detector pixel.

    Returns
    -------
    x, y, flux : ndarray
        Shape (n,): pixels of the frame, by falling significance; flux as the matched filter has it.
    """
    scale = options.oversampling
    value = sums.signal_to_noise(options.psf_error, options.halo_error, options.halo * scale)
    size = 2 * scale * sums.nodes + 1
    peak = (value == maximum_filter(value, size=size, mode="constant")) & (value >= options.threshold)
    peak[[0, -1], :] = peak[:, [0, -1]] = False
    row, column = np.nonzero(peak)
    order = np.argsort(-value[row, column], kind="stable")
    row, column = row[order], column[order]
    dx = _vertex(value[row, column - 1], value[row, column], value[row, column + 1])
    dy = _vertex(value[row - 1, column], value[row, column], value[row + 1, column])
    flux = sums.asked[row, column] / sums.information[row, column]
    x, y = ((node + 0.5) / sums.nodes - 0.5 for node in (column + dx, row + dy))
    return x, y, flux.astype(np.float64)


def _vertex(
    before: npt.NDArray[np.float32], at: npt.NDArray[np.float32], after: npt.NDArray[np.float32]
) -> FloatArray:
    """Where the parabola through three neighbouring values has its top, from the middle one, in steps."""
    curvature = before + after - 2.0 * at
    shift = np.where(curvature < 0, (before - after) / (2 * np.where(curvature < 0, curvature, -1)), 0.0)
    return np.asarray(np.clip(shift, -0.5, 0.5), dtype=np.float64)
