"""Peaks of a significance map, to a fraction of a node."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.detection.significance import NODES_A_PIXEL, Sums
from loaders.psf.model import FloatArray

_ALONE = 2 * NODES_A_PIXEL + 1
"""Side in nodes of the square within which a peak is the highest node: a pixel to either side."""


def find_peaks(sums: Sums, threshold: float, psf_error: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Find the places where a star fits best.

    Parameters
    ----------
    sums
        Sums over all images.
    threshold
        Least signal-to-noise ratio.
    psf_error
        See `Sums.signal_to_noise`.

    Returns
    -------
    x, y, flux : ndarray
        Shape (n,): pixels of the frame, by falling significance; flux as the matched filter has it.
    """
    value = sums.signal_to_noise(psf_error)
    peak = (value == maximum_filter(value, size=_ALONE, mode="constant")) & (value >= threshold)
    peak[[0, -1], :] = peak[:, [0, -1]] = False
    row, column = np.nonzero(peak)
    order = np.argsort(-value[row, column], kind="stable")
    row, column = row[order], column[order]
    dx = _vertex(value[row, column - 1], value[row, column], value[row, column + 1])
    dy = _vertex(value[row - 1, column], value[row, column], value[row + 1, column])
    flux = sums.asked[row, column] / sums.information[row, column]
    return _pixels(column + dx), _pixels(row + dy), flux.astype(np.float64)


def _vertex(
    before: npt.NDArray[np.float32], at: npt.NDArray[np.float32], after: npt.NDArray[np.float32]
) -> FloatArray:
    """Where the parabola through three neighbouring values has its top, from the middle one, in steps."""
    curvature = before + after - 2.0 * at
    shift = np.where(curvature < 0, (before - after) / (2 * np.where(curvature < 0, curvature, -1)), 0.0)
    return np.asarray(np.clip(shift, -0.5, 0.5), dtype=np.float64)


def _pixels(node: FloatArray) -> FloatArray:
    """Coordinates in pixels of positions in nodes."""
    return np.asarray((node + 0.5) / NODES_A_PIXEL - 0.5)
