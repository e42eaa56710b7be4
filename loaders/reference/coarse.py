"""Exposures whose WCS is off by pixels, found by correlating each with others of the same sky."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import map_coordinates

from loaders.reference.kernels import FloatArray
from loaders.reference.members import ExposureImage
from loaders.wfi.placement import fit_placement

_ALIKE = 0.5
"""Coefficient of correlation from which two images show the same sky."""

_BRIGHT = 30.0
"""Standard deviations of the sky at which light is cut: one bright star is not to decide."""

_NEAR = 2
"""Pixels about the place of the WCS within which a peak is looked for first."""

_SHARED = 0.2
"""Share of the pixels that two exposures must have in common to be compared."""

_MAD_TO_SIGMA = 1.4826


_FEW = 7
"""Exposures of which all pairs are compared."""

_SIDE = 1024
"""Side in pixels of the middle of an exposure that is compared."""

_WHOLE = 0.999
"""Share of the neighbours of a place that must count."""

_NOTHING = 1e-6
"""Share of the most light of any overlap below which there is none."""


@dataclass(frozen=True)
class _Light:
    """Light of pixels and whether they count (1) or not (0), shape (ny, nx) each."""

    value: FloatArray
    seen: FloatArray


@dataclass(frozen=True)
class Offset:
    """By how much the sky in an exposure is displaced from where its WCS has it, detector pixels."""

    x: float
    y: float

    @property
    def length(self) -> float:
        """Pixels."""
        return float(np.hypot(self.x, self.y))


def offset_between(one: ExposureImage, other: ExposureImage) -> Offset | None:
    """By how much the sky in one exposure is displaced if the WCS of another is right.

    The other is resampled to the pixels in the middle of the first, 1024 along an axis at most, and both are
    correlated with one another; offsets of up to half of that are found, to a quarter of a pixel or so.

    Parameters
    ----------
    one, other
        Exposures.

    Returns
    -------
    Offset or None
        None if they share too little, or no offset makes them alike.
    """
    rows, columns = (_middle(length) for length in one.image.data.shape)
    there = _resampled(other, one, (rows, columns))
    if there is None:
        return None
    here = _light(one.image.data[rows, columns], one.image.good_pixels()[rows, columns])
    correlation = _correlation(here, there)
    peak = _peak(correlation)
    if not correlation[peak] > _ALIKE:
        return None
    y, x = (_vertex(correlation, peak, axis) for axis in (0, 1))
    return Offset(x, y)


def _correlation(here: _Light, there: _Light) -> FloatArray:
    """Coefficient of correlation of the pixels that overlap, for all offsets; 0 where these are few."""
    size = [fft.next_fast_len(2 * length) for length in here.value.shape]
    planes = (here.value, here.value**2, here.seen, there.value, there.value**2, there.seen)
    value, square, seen, of_value, of_square, of_seen = (fft.rfft2(plane, size) for plane in planes)
    pairs = ((value, of_value), (square, of_seen), (seen, of_square), (seen, of_seen))
    product, mine, others, count = (fft.irfft2(a * np.conj(b), size) for a, b in pairs)
    energy = np.sqrt(np.maximum(mine, 0) * np.maximum(others, 0))
    enough = (count > _SHARED * here.value.size) & (energy > _NOTHING * energy.max())
    return np.where(enough, product / np.where(enough, energy, 1.0), 0.0)


def _peak(correlation: FloatArray) -> tuple[int, int]:
    """Where the peak is: at the place of the WCS if images are alike there, at the highest one else.

    Of two or three stars in a field one may lie upon another at an offset that has the rest outside of it,
    and correlate better than all of them do where they are.
    """
    around = np.arange(-_NEAR, _NEAR + 1)
    near = correlation[np.ix_(around, around)]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    inside = 0 < row < 2 * _NEAR and 0 < column < 2 * _NEAR
    if inside and near[row, column] > _ALIKE:
        shape = correlation.shape
        return int(around[row]) % shape[0], int(around[column]) % shape[1]
    row, column = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    return int(row), int(column)


def misplaced(load: Callable[[int], ExposureImage], count: int, limit: float) -> dict[int, Offset]:
    """Exposures that lie elsewhere than their WCS says, if most of the others are right.

    Parameters
    ----------
    load
        Gives the exposure of a number from 0 on.
    count
        Number of exposures. Of few all pairs are compared, of many all with the first.
    limit
        Detector pixels that are too many.

    Returns
    -------
    dict
        Offsets by number of the exposure. Of two that disagree, both.
    """
    found = _by_pairs(load, count) if count <= _FEW else _by_first(load, count)
    return {k: offset for k, offset in found.items() if offset.length > limit}


def _by_pairs(load: Callable[[int], ExposureImage], count: int) -> dict[int, Offset]:
    """What most of the others say of each."""
    said: list[list[Offset]] = [[Offset(0.0, 0.0)] for _ in range(count)]
    for i, j in combinations(range(count), 2):
        offset = offset_between(load(i), load(j))
        if offset is not None:
            said[i].append(offset)
            said[j].append(Offset(-offset.x, -offset.y))
    if count == 2:
        return {k: offsets[-1] for k, offsets in enumerate(said)}
    return {k: _median(offsets) for k, offsets in enumerate(said)}


def _by_first(load: Callable[[int], ExposureImage], count: int) -> dict[int, Offset]:
    """Offsets from the first, less what most have from it; those that show nothing of it are not told."""
    first = load(0)
    found = {k: offset_between(load(k), first) for k in range(1, count)}
    known = {0: Offset(0.0, 0.0)} | {k: offset for k, offset in found.items() if offset is not None}
    usual = _median(list(known.values()))
    return {k: Offset(offset.x - usual.x, offset.y - usual.y) for k, offset in known.items()}


def _median(offsets: Sequence[Offset]) -> Offset:
    return Offset(*(float(np.median([getattr(one, axis) for one in offsets])) for axis in ("x", "y")))


def _light(data: npt.NDArray[np.floating], good: npt.NDArray[np.bool_]) -> _Light:
    """Light of pixels above the sky, that of bright stars cut."""
    if not good.any():
        return _Light(np.zeros(data.shape), np.zeros(data.shape))
    values = data[good].astype(np.float64)
    sky = float(np.median(values))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(values - sky)))
    light = np.clip(data.astype(np.float64) - sky, -_BRIGHT * sigma, _BRIGHT * sigma)
    light -= float(light[good].mean())
    return _Light(np.where(good, light, 0.0), good.astype(np.float64))


def _middle(length: int) -> slice:
    """The middle of an axis."""
    begin = max((length - _SIDE) // 2, 0)
    return slice(begin, min(begin + _SIDE, length))


def _resampled(other: ExposureImage, one: ExposureImage, part: tuple[slice, slice]) -> _Light | None:
    """Light of an exposure where the WCS has some pixels of another; None if it shows too few of them."""
    rows, columns = part

    def to_other(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return other.projection.to_pixel(*one.projection.to_sky(x, y))

    try:
        place = fit_placement(to_other, (columns.start, rows.start), (columns.stop - 1, rows.stop - 1))
    except ValueError:
        return None
    x, y = place.grid(*(np.arange(one.start, one.stop, dtype=np.float64) for one in (columns, rows)))
    good = other.image.good_pixels()
    planes = np.where(good, other.image.data, np.float32(0)), good.astype(np.float32)
    value, seen = (map_coordinates(plane, [y, x], order=1, mode="constant") for plane in planes)
    # Only where all four neighbours count is the value one of the sky.
    whole = seen > _WHOLE
    return None if whole.mean() < _SHARED else _light(value, whole)


def _vertex(correlation: FloatArray, peak: tuple[int, int], axis: int) -> float:
    """Place of the peak along an axis, by a parabola; beyond the middle, below zero."""
    length = correlation.shape[axis]
    at = peak[axis]
    index = list(peak)
    below, above = (
        float(correlation[(*index[:axis], (at + step) % length, *index[axis + 1 :])]) for step in (-1, 1)
    )
    top = float(correlation[peak])
    curve = below - 2 * top + above
    part = 0.5 * (below - above) / curve if curve < 0 else 0.0
    return (at if at <= length // 2 else at - length) + part
