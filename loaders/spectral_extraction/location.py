"""The location table: where the spectrum of every source lies, in every order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from loaders.spectral_extraction.frame import BoolArray
from loaders.spectral_extraction.path import Path, path
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import Dispersion

IntArray = npt.NDArray[np.int64]


class LocationFlag(IntFlag):
    """What is to be known of the place of a spectrum."""

    OFF_DETECTOR = 1
    TRUNCATED = 2
    DIRECT_OFF_DETECTOR = 4
    OVERLAPPED = 8
    NO_POSITION = 16


@dataclass(frozen=True)
class Places:
    """Sources whose spectra are looked for.

    ``x, y`` of shape (n,) are direct pixels, 0-based, also off the detector; ``half_width`` of shape (n,)
    how far across the trace a source reaches, in pixels.
    """

    x: FloatArray
    y: FloatArray
    half_width: FloatArray


@dataclass(frozen=True)
class Locations:
    """A row for every source and order; arrays of shape (m,).

    Parameters
    ----------
    source, order
        Row of the source, number of the order.
    x_first, y_first, x_last, y_last
        Pixels of the shortest and the longest wavelength of the order; they may lie off the detector.
    shortest, longest
        Wavelengths (µm) that fall on the detector; NaN where none does.
    on_detector
        Share of the rows of the trace that are on the detector.
    overlap
        Share of the pixels about the trace on the detector into which another spectrum falls, too.
    flags
        Bits of `LocationFlag`.
    """

    source: IntArray
    order: IntArray
    x_first: FloatArray
    y_first: FloatArray
    x_last: FloatArray
    y_last: FloatArray
    shortest: FloatArray
    longest: FloatArray
    on_detector: FloatArray
    overlap: FloatArray
    flags: IntArray

    def of(self, kept: BoolArray) -> Locations:
        """Rows of those sources alone, counted anew; ``kept`` of shape (n,) says which of the sources."""
        rows = kept[self.source]
        values = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return Locations(**values | {"source": (np.cumsum(kept) - 1)[values["source"]]})


def locate(
    dispersion: Dispersion, places: Places, orders: Sequence[int], shape: tuple[int, int]
) -> Locations:
    """Make the location table of an exposure.

    Parameters
    ----------
    dispersion
        The geometry.
    places
        The sources.
    orders
        Orders that count.
    shape
        Shape (ny, nx) of the exposure.

    Returns
    -------
    A row for every source and order, sources first, also of spectra that are off the detector.
    """
    keys = [(source, order) for source in range(places.x.size) for order in orders]
    source, order = np.array(keys, dtype=np.int64).reshape(len(keys), 2).T
    everywhere = (-np.inf, np.inf)
    paths = [path(dispersion, o, (float(places.x[s]), float(places.y[s])), everywhere) for s, o in keys]
    bands = [_band(p, float(places.half_width[s]), shape) for p, s in zip(paths, source, strict=True)]
    on_rows = [(p.y >= 0) & (p.y <= shape[0] - 1) & (p.x >= -0.5) & (p.x < shape[1] - 0.5) for p in paths]
    ranges = np.array([_range(p, on) for p, on in zip(paths, on_rows, strict=True)]).reshape(len(keys), 2)
    share = np.array([float(on.mean()) if on.size else 0.0 for on in on_rows])
    overlap = _overlaps(bands, shape)
    flags = _flags(places, source, share, overlap, shape)
    ends = _ends(dispersion, places, source, order)
    return Locations(source, order, *ends, ranges[:, 0], ranges[:, 1], share, overlap, flags)


def trace_mask(
    locations: Locations, dispersion: Dispersion, places: Places, shape: tuple[int, int]
) -> BoolArray:
    """Pixels of an exposure, shape (ny, nx), into which any of the spectra of a location table falls."""
    mask = np.zeros(shape[0] * shape[1], dtype=bool)
    for s, o in zip(locations.source, locations.order, strict=True):
        steps = path(dispersion, int(o), (float(places.x[s]), float(places.y[s])), (0, shape[0] - 1))
        mask[_band(steps, float(places.half_width[s]), shape)] = True
    return mask.reshape(shape)


def _band(steps: Path, half_width: float, shape: tuple[int, int]) -> IntArray:
    """Flat indices of the pixels of an image within half a width of a trace."""
    reach = int(np.ceil(half_width))
    column = np.rint(steps.x)[:, None] + np.arange(-reach, reach + 1)
    row = np.broadcast_to(steps.y[:, None], column.shape)
    inside = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    return np.asarray((row * shape[1] + column)[inside], dtype=np.int64)


def _overlaps(bands: Sequence[IntArray], shape: tuple[int, int]) -> FloatArray:
    """Share of the pixels of each band that are in another one, too; 0 where the band is empty."""
    count = np.zeros(shape[0] * shape[1], dtype=np.int32)
    for band in bands:
        count[band] += 1
    return np.array([float((count[band] > 1).mean()) if band.size else 0.0 for band in bands])


def _range(steps: Path, on: BoolArray) -> tuple[float, float]:
    """Shortest and longest wavelength of the steps that are on the detector, NaN for none."""
    seen = steps.wavelength[on]
    return (float(seen.min()), float(seen.max())) if seen.size else (np.nan, np.nan)


def _flags(
    places: Places, source: IntArray, share: FloatArray, overlap: FloatArray, shape: tuple[int, int]
) -> IntArray:
    x, y = places.x[source], places.y[source]
    nowhere = ~(np.isfinite(x) & np.isfinite(y))
    outside = (np.minimum(x, y) < -0.5) | (x > shape[1] - 0.5) | (y > shape[0] - 0.5)
    flags = np.zeros(source.size, dtype=np.int64)
    for flag, rows in (
        (LocationFlag.OFF_DETECTOR, share == 0),
        (LocationFlag.TRUNCATED, (share > 0) & (share < 1)),
        (LocationFlag.DIRECT_OFF_DETECTOR, outside),
        (LocationFlag.OVERLAPPED, overlap > 0),
        (LocationFlag.NO_POSITION, nowhere),
    ):
        flags[rows] |= flag
    return flags


def _ends(
    dispersion: Dispersion, places: Places, source: IntArray, order: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Pixels x, y of the first wavelength of every row, and of the last."""
    ends = np.full((4, source.size), np.nan)
    for number in np.unique(order):
        rows = np.flatnonzero(order == number)
        at = np.array(dispersion.wavelength_range[int(number)])
        x, y = dispersion.disperse(int(number), places.x[source[rows]], places.y[source[rows]], at)
        ends[:, rows] = x[:, 0], y[:, 0], x[:, 1], y[:, 1]
    return ends[0], ends[1], ends[2], ends[3]
