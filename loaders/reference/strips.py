"""The image that fits all exposures best, strip by strip where all of it would not fit into memory.

What a pixel says dies out within some fine pixels: a strip that is solved with a margin around it is that of
the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loaders.reference.kernels import TAPS, Float32Array, FloatArray
from loaders.reference.members import MemberState
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.reference.passes import Factors, Work, add_all, weighed_pixels
from loaders.reference.registration import moved
from loaders.wfi.placement import Placement

MARGIN = 48
"""Rows of the frame on either side of a strip that are solved with it."""

_ROWS = 256
"""Rows of an exposure whose places are in memory at once."""


@dataclass(frozen=True)
class FittedImage:
    """Spline coefficients, and the weight of all pixels at their places, shape (ny, nx) each."""

    coefficient: FloatArray
    weight: Float32Array

    def put(self, rows: slice, strip: FittedImage, first: int) -> None:
        """Take rows from a strip, in which they begin with a given one."""
        inner = slice(first, first + rows.stop - rows.start)
        self.coefficient[rows], self.weight[rows] = strip.coefficient[inner], strip.weight[inner]


def fit_image(
    work: Work,
    members: Sequence[MemberState],
    factors: Sequence[Factors | None],
    start: FloatArray | None = None,
) -> FittedImage:
    """Fit the image to the exposures that are in, the weights of some of their pixels lowered.

    Parameters
    ----------
    work
        Exposures, frame and options; ``most_pixels`` of these is the size of a strip.
    members, factors
        The exposures, and factors of the weights of some pixels of each.
    start
        Coefficients to begin with, shape (ny, nx); zero if None.

    Returns
    -------
    FittedImage
    """
    shape = work.frame.shape
    strips = strips_of(shape, work.options.most_pixels)
    if len(strips) == 1:
        equations = add_all(work, members, factors)
        return FittedImage(equations.solve(start), equations.weight)
    out = FittedImage(np.empty(shape), np.empty(shape, dtype=np.float32))
    for own, seen in strips:
        # Nothing of a strip stays but its own rows: two do not fit into memory.
        out.put(own, _fit_strip(work, (members, factors), start, seen), own.start - seen.start)
    return out


def _fit_strip(
    work: Work,
    exposures: tuple[Sequence[MemberState], Sequence[Factors | None]],
    start: FloatArray | None,
    seen: slice,
) -> FittedImage:
    """Some rows of the image; see `fit_image`."""
    equations = strip_sums(work, *exposures, seen)
    return FittedImage(equations.solve(None if start is None else start[seen]), equations.weight)


def weight_of(work: Work, members: Sequence[MemberState]) -> Float32Array:
    """Weight of all pixels of the exposures that are in, at their places, shape (ny, nx).

    That of `NormalEquations`, without the rest of its sums.
    """
    out = np.zeros(work.frame.shape, dtype=np.float32)
    for number, member in enumerate(members):
        if member.refused is None:
            pixels = weighed_pixels(work, number, member, None)
            for first in range(0, len(pixels.weight), _ROWS):
                _add_weight(out, pixels, slice(first, first + _ROWS))
    return out


def _add_weight(out: Float32Array, pixels: ExposurePixels, rows: slice) -> None:
    """Add the weights of some rows of an exposure where a pixel sees all of its coefficients."""
    weight = pixels.weight[rows]
    y, x = np.arange(len(pixels.weight), dtype=float)[rows], np.arange(weight.shape[1], dtype=float)
    u, v = pixels.place.grid(x, y)
    first, last = TAPS // 2 - 1, TAPS // 2
    seen = (weight > 0) & (u >= first) & (v >= first)
    seen &= (np.floor(u) + last <= out.shape[1] - 1) & (np.floor(v) + last <= out.shape[0] - 1)
    where = np.rint(v[seen]).astype(np.int64), np.rint(u[seen]).astype(np.int64)
    np.add.at(out, where, weight[seen])


def strips_of(shape: tuple[int, int], most_pixels: int) -> list[tuple[slice, slice]]:
    """Rows that belong to each strip, and those that are solved with them.

    Parameters
    ----------
    shape
        Fine pixels (ny, nx) of the frame.
    most_pixels
        Fine pixels of a strip, its margins not counted.
    """
    rows, columns = shape
    count = -(-rows * columns // most_pixels)
    edges = np.linspace(0, rows, count + 1).round().astype(int).tolist()
    return [(slice(a, b), slice(max(a - MARGIN, 0), min(b + MARGIN, rows))) for a, b in pairwise(edges)]


def strip_sums(
    work: Work, members: Sequence[MemberState], factors: Sequence[Factors | None], seen: slice
) -> NormalEquations:
    """Sums of all exposures that are in over some rows of the frame."""
    equations = NormalEquations((seen.stop - seen.start, work.frame.shape[1]), work.workers)
    for number, (member, factor) in enumerate(zip(members, factors, strict=True)):
        if member.refused is None and member.place is not None and touches(member.place, seen):
            equations.add(within(weighed_pixels(work, number, member, factor), seen))
    return equations


def within(pixels: ExposurePixels, seen: slice) -> ExposurePixels:
    """An exposure in some rows of the frame, which are counted from the first of them."""
    return moved(pixels, np.array([0.0, -float(seen.start)]), np.zeros((2, 2)))


def touches(place: Placement, seen: slice) -> bool:
    """Whether an exposure that lies at some place may have pixels in some rows of the frame."""
    (cx, cy), (hx, hy) = place.centre, place.half
    along = np.linspace(-1.0, 1.0, 9)
    v = place.grid(cx + hx * along, cy + hy * along)[1]
    return bool(v.max() >= seen.start - MARGIN and v.min() <= seen.stop + MARGIN)
