"""Pixels in a row: a trail that a satellite, or something nearer, left across an exposure.

A faint trail breaks up into peaks of the shape of a star, a bright one into peaks far about. What gives it
away is a straight line from edge to edge, which is looked for by the transform of Hough in the form of Duda &
Hart (1972, Comm. ACM 15, 11): all lines, by their angle and their distance from the corner of the image, with
the number of peaks on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_HALF = 2.0
"""Detector pixels on either side of a line within which peaks are on it; peaks as near are one."""

_FALSE = 1e-3
"""Lines in an image that may seem to be trails by chance."""

_FEWEST = 6
"""Peaks on a trail, at least."""

_STEP, _PIECES, _OCCUPIED = 3.0, 48, 0.8
"""Least length of the pieces of a line in units of the half width, most of them, and the share of them that
has a peak: a star's halo is a crowd of peaks, but none from edge to edge."""

_GAP = 0.15
"""Share of a line that may be without a peak in one stretch: a few clumps in a row leave more."""

_BESIDE = (3, 7)
"""Half widths from a line between which the peaks beside it lie that it is compared with."""

_WIDE = 0.2
"""Share of the peaks of its middle from which what lies beside belongs to a wide trail."""

_GROWN, _BRIGHT = 24, 0.5
"""Pixels by which a trail is grown at most, and the median in standard deviations of those beside it that
belong to its wings."""

_MOST = 8
"""Trails in an image that are looked for."""


@dataclass(frozen=True)
class _Line:
    """A line x cos(angle) + y sin(angle) = distance, and by how much it is more than chance (`_scores`)."""

    angle: float
    distance: float
    score: float


@dataclass(frozen=True)
class Trail:
    """A band across an image: pixels nearer than ``half_width`` to x cos(angle) + y sin(angle) = distance."""

    angle: float
    distance: float
    half_width: float

    def off(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance of places from its middle."""
        return np.asarray(np.abs(x * np.cos(self.angle) + y * np.sin(self.angle) - self.distance))

    def holds(self, x: FloatArray, y: FloatArray) -> BoolArray:
        """Whether places are on it."""
        return np.asarray(self.off(x, y) < self.half_width)


def find_trails(x: FloatArray, y: FloatArray, shape: tuple[int, int], oversampling: int = 1) -> list[Trail]:
    """Find the trails that peaks are pieces of.

    Parameters
    ----------
    x, y
        Shape (n,): pixels in which light was gained.
    shape
        Of the image (ny, nx).
    oversampling
        Pixels of the image per detector pixel.

    Returns
    -------
    list of Trail
        As wide as their peaks lie.
    """
    trails: list[Trail] = []
    half = _HALF * oversampling
    left = np.ones(x.size, dtype=bool)
    while len(trails) < _MOST:
        px, py = _thinned(x[left], y[left], half)
        line = _best_line(px, py, shape, half) if px.size >= _FEWEST else None
        if line is None or not _is_crossed(line, px, py, shape, half):
            break
        trails.append(_trail(line, x, y, half))
        left &= ~trails[-1].holds(x, y)
    return trails


def pixels_of_trails(
    trails: Sequence[Trail], significance: npt.NDArray[np.floating], usable: BoolArray
) -> BoolArray:
    """Pixels of trails, grown on either side as far as these are bright.

    Parameters
    ----------
    trails
        The trails.
    significance
        Shape (ny, nx): what each pixel gained, in standard deviations.
    usable
        Shape (ny, nx): pixels that count.

    Returns
    -------
    ndarray
        Shape (ny, nx).
    """
    out = np.zeros(usable.shape, dtype=bool)
    y, x = (np.arange(float(n)) for n in usable.shape)
    for trail in trails:
        off = trail.off(x[None, :], y[:, None])
        width = trail.half_width
        for _ in range(_GROWN):
            ring = usable & (off >= width) & (off < width + 1)
            if not ring.any() or np.median(significance[ring]) <= _BRIGHT:
                break
            width += 1
        out |= off < width
    return out


def _thinned(x: FloatArray, y: FloatArray, side: float) -> tuple[FloatArray, FloatArray]:
    """One peak for each square of a side: peaks that crowd are not the more in a row."""
    if x.size == 0:
        return x, y
    cell = np.floor(np.column_stack([x, y]) / side).astype(np.int64)
    _, first = np.unique(cell, axis=0, return_index=True)
    return x[first], y[first]


def _best_line(x: FloatArray, y: FloatArray, shape: tuple[int, int], half: float) -> _Line | None:
    """The line with the most peaks for its length, if chance does not explain it; steps are a half width."""
    diagonal = float(np.hypot(*shape))
    angles = np.arange(0, np.pi, 2 * half / diagonal)
    n_bin = int(2 * diagonal / half) + 2
    least = float(np.log(angles.size * n_bin / _FALSE))
    best = None
    for angle in angles.tolist():
        distance = x * np.cos(angle) + y * np.sin(angle)
        score = _scores(distance, angle, shape, half, n_bin)
        k = int(np.argmax(score))
        if score[k] > (least if best is None else best.score):
            best = _Line(angle, k * half - diagonal, float(score[k]))
    return best


def _scores(
    distance: FloatArray, angle: float, shape: tuple[int, int], half: float, n_bin: int
) -> FloatArray:
    """What speaks for a trail on each of the lines of an angle, shape (n_bin,): ln of a likelihood ratio.

    Of n peaks where λ are expected that is n ln(n / λ) - n + λ, λ being what all other peaks would be if they
    were spread evenly, or what lies beside the line if that is more.
    """
    diagonal = float(np.hypot(*shape))
    place = np.floor((distance + diagonal) / half).astype(np.int64)
    near, far = _BESIDE
    one = np.bincount(place + far, minlength=n_bin + 2 * far).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(one)])
    k = np.arange(n_bin) + far
    # A line is the edge between two bins, k - 1 and k.
    count = sums[k + 1] - sums[k - 1]
    beside = sums[k - near] - sums[k - far] + sums[k + far] - sums[k + near]
    centre = np.arange(n_bin, dtype=np.float64) * half - diagonal
    even = (distance.size - count) / (shape[0] * shape[1]) * 2 * half * _chord(centre, angle, shape)[1]
    expected = np.maximum(np.maximum(even, beside / (far - near)), 1 / diagonal)
    enough = (count >= _FEWEST) & (count > expected)
    n = np.where(enough, count, 1.0)
    return np.where(enough, n * np.log(n / expected) - n + expected, 0.0)


def _chord(distance: FloatArray, angle: float, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Where lines enter an image, along them from the foot of the perpendicular, and their lengths in it."""
    c, s = np.cos(angle), np.sin(angle)
    begin, end = np.full(distance.shape, -np.inf), np.full(distance.shape, np.inf)
    for foot, step, size in ((distance * c, -s, shape[1]), (distance * s, c, shape[0])):
        if abs(step) < _PARALLEL:
            outside = (foot < 0) | (foot > size - 1)
            begin = np.where(outside, np.inf, begin)
            continue
        one, other = (0 - foot) / step, (size - 1 - foot) / step
        begin, end = np.maximum(begin, np.minimum(one, other)), np.minimum(end, np.maximum(one, other))
    inside = end > begin
    return np.where(inside, begin, 0.0), np.where(inside, end, 0.0) - np.where(inside, begin, 0.0)


_PARALLEL = 1e-9
"""Sine of the angle below which a line is parallel to an edge."""


def _is_crossed(line: _Line, x: FloatArray, y: FloatArray, shape: tuple[int, int], half: float) -> bool:
    """Whether peaks lie all along a line, from edge to edge."""
    begin, length = (float(one[0]) for one in _chord(np.array([line.distance]), line.angle, shape))
    off = x * np.cos(line.angle) + y * np.sin(line.angle) - line.distance
    near = np.abs(off) <= half
    along = (y * np.cos(line.angle) - x * np.sin(line.angle))[near] - begin
    if length <= 0 or along.size == 0:
        return False
    pieces = min(max(int(length / (_STEP * half)), 1), _PIECES)
    piece = np.clip(np.floor(along / length * pieces), 0, pieces - 1)
    gap = np.diff(np.concatenate([[0.0], np.sort(along), [length]])).max()
    return bool(np.unique(piece).size >= _OCCUPIED * pieces and gap <= _GAP * length + 2 * half)


def _trail(line: _Line, x: FloatArray, y: FloatArray, half: float) -> Trail:
    """The trail along a line, as wide as its peaks lie."""
    off = Trail(line.angle, line.distance, half).off(x, y)
    count = np.bincount(np.floor(off / half).astype(np.int64))
    few = np.flatnonzero(np.append(count[1:], 0) < _WIDE * count[0])
    return Trail(line.angle, line.distance, half * (float(few[0]) + 1.5))
