"""Blocks of saturated pixels, such as the core of a cluster: no sky that exposures could share.

The core of a saturated star is small, and the pixels around it that saturate late have good slopes. Where all
pixels of a large block saturate, slopes say how each ramp ended: they differ from one exposure to another by
more than the noise, and so does what flows over into pixels around.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, distance_transform_cdt, find_objects, label, uniform_filter

BoolArray = npt.NDArray[np.bool_]

_SIDE, _FILLED = 11, 0.75
"""Side in pixels of a square in which so large a share saturates only in a block: the saturated pixels of a
star that have slopes are a ring, as wide as this about stars of some seventh magnitude."""

_LEAST, _MOST = 3, 24
"""Pixels by which a block is grown at least, and at most."""

_BRIGHT = 0.5
"""Standard deviations, as pixels scatter, by which the median of what surrounds a block is above the sky."""

_MOST_OF_IMAGE = 0.5
"""Share of the usable pixels beyond which a block is what the exposure shows, and is left as it is."""

_MAD_TO_SIGMA = 1.4826


def in_blocks(data: npt.NDArray[np.floating], good: BoolArray, saturated: BoolArray) -> BoolArray:
    """Pixels of blocks of saturated ones, and what is bright around them.

    Parameters
    ----------
    data
        Shape (ny, nx): rate of each pixel.
    good
        Shape (ny, nx): pixels that have a value and could be used.
    saturated
        Shape (ny, nx): pixels that saturated before the end of the exposure.

    Returns
    -------
    ndarray
        Shape (ny, nx); none if blocks are most of the image, or all that could be used.
    """
    block = saturated_blocks(saturated & good)
    if not block.any() or block.sum() > _MOST_OF_IMAGE * good.sum():
        return np.zeros_like(good)
    out = grown(block, data, good)
    return out if (good & ~out).any() else np.zeros_like(good)


def saturated_blocks(saturated: BoolArray) -> BoolArray:
    """Pixels of blocks, shape (ny, nx), among those that saturated and have a slope."""
    if not saturated.any():
        return saturated
    filled = uniform_filter(saturated.astype(np.float32), _SIDE, mode="constant") >= _FILLED
    near = binary_dilation(filled, np.ones((_SIDE, _SIDE), dtype=bool))
    return np.asarray(near & saturated)


def grown(block: BoolArray, data: npt.NDArray[np.floating], good: BoolArray) -> BoolArray:
    """Blocks and what surrounds them, as far as it is brighter than the sky, shape (ny, nx).

    Each is grown ring by ring while the median of the next one is bright: stars about it are not, as they
    fill no ring.

    Parameters
    ----------
    block
        Shape (ny, nx): pixels of blocks.
    data
        Shape (ny, nx): rate of each pixel.
    good
        Shape (ny, nx): pixels that have a value.
    """
    sky = data[good & ~block].astype(np.float64)
    if sky.size == 0:
        return block
    level = float(np.median(sky))
    limit = level + _BRIGHT * _MAD_TO_SIGMA * float(np.median(np.abs(sky - level)))
    number, _ = label(block, np.ones((3, 3)))
    out = block.copy()
    others = good & ~block
    for k, place in enumerate(find_objects(number), 1):
        around = tuple(slice(max(one.start - _MOST - 1, 0), one.stop + _MOST + 1) for one in place)
        distance = distance_transform_cdt(number[around] != k, "chessboard")
        out[around] |= distance <= _width(distance, data[around], others[around], limit)
    return out


def _width(
    distance: npt.NDArray[np.int32], data: npt.NDArray[np.floating], good: BoolArray, limit: float
) -> int:
    """Pixels by which a block is to be grown: where the first ring beyond is no brighter than a limit."""
    for width in range(_LEAST, _MOST):
        ring = good & (distance == width + 1)
        if not ring.any() or np.median(data[ring]) <= limit:
            return width
    return _MOST
