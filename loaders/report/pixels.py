"""Images made fit to be drawn: not larger than a screen, and with a stretch that shows faint and bright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.colors import AsinhNorm

from loaders.report.facts import BoolArray, FloatArray

#: Side in pixels above which an image is drawn smaller.
LARGEST = 1000

#: An image of whatever precision.
Values = npt.NDArray[np.floating]

_MAD_TO_SIGMA = 1.4826


def masked(values: Values, usable: BoolArray) -> Values:
    """Values with NaN where they do not count, shape (ny, nx), of the type that they have."""
    return np.where(usable, values, np.array(np.nan, dtype=values.dtype))


def shrink(values: Values, largest: int = LARGEST) -> tuple[FloatArray, int]:
    """Make an image smaller by means over square blocks, until no side is longer than wanted.

    Parameters
    ----------
    values
        Shape (ny, nx); NaN does not count. What is left of a block at the end is cut off.
    largest
        Longest side wanted, pixels.

    Returns
    -------
    ndarray
        Smaller image; NaN where a block holds nothing.
    int
        Side of a block; 1 where the image was small enough.
    """
    blocks, step = _blocks(values, largest)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3), dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), step


def farthest(values: Values, largest: int = LARGEST) -> tuple[Values, int]:
    """Make an image smaller as `shrink` does, but keep of each block what is farthest from zero."""
    blocks, step = _blocks(values, largest)
    high = np.where(np.isfinite(blocks), blocks, -np.inf).max(axis=(1, 3))
    low = np.where(np.isfinite(blocks), blocks, np.inf).min(axis=(1, 3))
    chosen = np.where(np.abs(low) > np.abs(high), low, high)
    return np.where(np.isfinite(chosen), chosen, np.nan), step


def _blocks(values: Values, largest: int) -> tuple[Values, int]:
    """Square blocks of an image, shape (rows, side, columns, side), and their side."""
    step = -(-max(values.shape) // largest)
    ny, nx = (side // step for side in values.shape)
    return values[: ny * step, : nx * step].reshape(ny, step, nx, step), step


def stretch(values: Values) -> AsinhNorm:
    """Choose a stretch for the sky and the stars on it, from noise to bright.

    Linear about three standard deviations of the sky, logarithmic above (Lupton et al. 2004, PASP 116, 133).

    Parameters
    ----------
    values
        Shape (ny, nx); NaN does not count.
    """
    seen = values[np.isfinite(values)]
    if seen.size == 0:
        return AsinhNorm(linear_width=1.0, vmin=0.0, vmax=1.0)
    middle = float(np.median(seen))
    noise = _MAD_TO_SIGMA * float(np.median(np.abs(seen - middle))) or 1.0
    high = max(float(np.quantile(seen, 0.998)), middle + 5 * noise)
    return AsinhNorm(linear_width=3 * noise, vmin=middle - 2 * noise, vmax=high)


def stretch_ticks(norm: AsinhNorm) -> list[float]:
    """Zero, and the powers of ten of a stretch that stand apart from it."""
    assert norm.vmax is not None
    first, last = np.ceil(np.log10(norm.linear_width)), np.floor(np.log10(norm.vmax))
    return [0.0, *(float(10.0**power) for power in np.arange(first, last + 1))]


def cut_out(values: Values | BoolArray, x: float, y: float, half: int) -> FloatArray:
    """Square about a place, shape (2 half + 1,) * 2; NaN beyond the edge of the image."""
    column, line = round(x), round(y)
    out = np.full((2 * half + 1, 2 * half + 1), np.nan)
    ny, nx = values.shape
    low_y, high_y = max(line - half, 0), min(line + half + 1, ny)
    low_x, high_x = max(column - half, 0), min(column + half + 1, nx)
    if low_y < high_y and low_x < high_x:
        top, left = low_y - line + half, low_x - column + half
        piece = values[low_y:high_y, low_x:high_x]
        out[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return out
