"""Backgrounds of images made one where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from loaders.field_mosaic.grid import Box, FloatArray
from loaders.field_mosaic.resample import Float32Array

FEWEST = 100
"""Pixels that two images must share for their backgrounds to be compared."""

_MOST = 2**20
"""Pixels that are compared, spread over those that are shared."""

_OF_MEDIAN = 1.2533
"""Standard deviation of a median over that of a mean, of normal errors."""

_OF_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal errors."""


@dataclass(frozen=True)
class Difference:
    """By how much the background of an image is above that of another, in units of the images.

    Parameters
    ----------
    first, second
        Numbers of the images.
    value, error
        Background of the first less that of the second.
    n_pixel
        Pixels that both see.
    """

    first: int
    second: int
    value: float
    error: float
    n_pixel: int


@dataclass(frozen=True)
class Skies:
    """Backgrounds of images, shape (n,) each.

    Parameters
    ----------
    value
        What is to be taken off each. Of images that hang together by overlaps the sum is 0, so that an image
        that overlaps none stays as it is.
    error
        Of what the value differs from those of the others it hangs together with; 0 where there are none.
    n_overlap
        Images that it was compared with.
    """

    value: FloatArray
    error: FloatArray
    n_overlap: FloatArray


def differences(images: Sequence[Float32Array], boxes: Sequence[Box]) -> list[Difference]:
    """Compare the backgrounds of all images that overlap.

    It is the median of the difference, so that stars whose light is spread otherwise don't count.

    Parameters
    ----------
    images
        Shape (PLANES, *box.shape) each, as `resample` gives them; may be on disk.
    boxes
        Where they lie.
    """
    found = []
    for first, second in combinations(range(len(images)), 2):
        common = boxes[first].common(boxes[second])
        if common is None:
            continue
        step = max(int(np.ceil(np.sqrt(common.shape[0] * common.shape[1] / _MOST))), 1)
        one, other = (_cut(images[k][0], boxes[k], common)[::step, ::step] for k in (first, second))
        change = (one - other).ravel()
        change = change[np.isfinite(change)].astype(np.float64)
        if change.size < FEWEST:
            continue
        value = float(np.median(change))
        spread = _OF_DEVIATION * float(np.median(np.abs(change - value)))
        error = _OF_MEDIAN * spread / np.sqrt(change.size)
        found.append(Difference(first, second, value, error, change.size * step**2))
    return found


def solve_skies(count: int, found: Sequence[Difference]) -> Skies:
    """Backgrounds that agree best with their differences, by least squares; the smallest of all that do.

    Parameters
    ----------
    count
        Number of images.
    found
        Differences of those that overlap.
    """
    design, right = np.zeros((len(found), count)), np.zeros(len(found))
    smallest = min((one.error for one in found if one.error > 0), default=1.0)
    for row, one in enumerate(found):
        # Images that are the same to the last digit have no error.
        weight = 1 / max(one.error, 1e-3 * smallest)
        design[row, [one.first, one.second]] = weight, -weight
        right[row] = weight * one.value
    covariance = np.linalg.pinv(design.T @ design, hermitian=True)
    ends = [k for one in found for k in (one.first, one.second)]
    return Skies(
        np.asarray(covariance @ design.T @ right),
        np.sqrt(np.maximum(np.diag(covariance), 0)),
        np.bincount(np.array(ends, dtype=np.int64), minlength=count).astype(np.float64),
    )


def _cut(plane: Float32Array, box: Box, part: Box) -> Float32Array:
    """A part of a plane that lies in a box."""
    return plane[part.top - box.top : part.bottom - box.top, part.left - box.left : part.right - box.left]
