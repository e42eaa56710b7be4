"""Which places of two catalogs lie close to each other: arrays in, arrays out.

The second catalog is sorted into zones of declination, and within them by right ascension (Gray et al. 2006,
"The Zones Algorithm", arXiv:cs/0701171). There are no tiles, and so no edges at which pairs are missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Least height of a zone, arcsec: below it there would be more zones than memory likes.
_LEAST_HEIGHT = 0.5
#: What rounding may do to a sorted right ascension, deg.
_SLACK = 1e-6


class _Places(NamedTuple):
    """Sorted places: rows, right ascension (0 to 360) and declination, deg, unit vectors of shape (n, 3)."""

    row: IntArray
    ra: FloatArray
    dec: FloatArray
    vector: FloatArray


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows of two catalogs.

    Parameters
    ----------
    first, second
        Row of each in the first and in the second catalog, shape (n,).
    separation
        Angle between them, arcsec, shape (n,).
    """

    first: IntArray
    second: IntArray
    separation: FloatArray

    def nearest(self) -> Pairs:
        """Of each row of the first catalog the nearest of the second alone."""
        order = np.lexsort((self.separation, self.first))
        rows = self.first[order]
        chosen = order[np.r_[True, rows[1:] != rows[:-1]]] if rows.size else order
        return Pairs(self.first[chosen], self.second[chosen], self.separation[chosen])


def crossmatch(ra: FloatArray, dec: FloatArray, ra_2: FloatArray, dec_2: FloatArray, radius: float) -> Pairs:
    """All pairs of places of two catalogs that are at most so far from each other.

    Parameters
    ----------
    ra, dec
        Places of the first catalog, deg, shape (n,); those that are NaN are near nothing.
    ra_2, dec_2
        Places of the second catalog, deg, shape (m,).
    radius
        Largest angle, arcsec; up to a degree.

    Returns
    -------
    Pairs
        In the order of the first catalog, then of the angle.

    Raises
    ------
    ValueError
        If a declination is beyond the poles, shapes do not agree, or the radius is none.
    """
    _check(ra, dec)
    _check(ra_2, dec_2)
    if not 0 < radius <= 3600:
        raise ValueError(f"radius must be more than 0 and at most 3600 arcsec, got {radius}")
    height = max(radius, _LEAST_HEIGHT) / 3600
    mine, theirs = _sorted(ra, dec, height), _sorted(ra_2, dec_2, height)
    found = _found(mine, theirs, height, np.radians(radius / 3600))
    first, second = mine.row[found.first], theirs.row[found.second]
    order = np.lexsort((found.separation, first))
    return Pairs(first[order], second[order], found.separation[order])


def _found(mine: _Places, theirs: _Places, height: float, reach: float) -> Pairs:
    """Pairs of sorted places up to an angle in radians: counted first, and then written."""
    start = np.searchsorted(_zone(theirs.dec, height), np.arange(int(180 / height) + 4))
    count = np.zeros(mine.row.size, np.int64)
    none = np.zeros(0, np.int64)
    _match(mine, theirs, start, (height, reach), (count, none, none, np.zeros(0)))
    offset = np.concatenate([[0], np.cumsum(count)])
    second, chord = np.empty(offset[-1], np.int64), np.empty(offset[-1])
    _match(mine, theirs, start, (height, reach), (count, offset, second, chord))
    separation = np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1))) * 3600
    return Pairs(np.repeat(np.arange(mine.row.size), count), second, separation)


def _check(ra: FloatArray, dec: FloatArray) -> None:
    """Raise if these are no places."""
    if ra.ndim != 1 or ra.shape != dec.shape:
        raise ValueError(f"ra and dec must be of one shape (n,), got {ra.shape} and {dec.shape}")
    if np.any(np.abs(dec) > 90):
        raise ValueError(f"dec must be from -90 to 90 deg, got {dec[np.abs(dec) > 90][0]}")


def _zone(dec: FloatArray, height: float) -> IntArray:
    """Zone of a declination; the first is 1, so that each has one before it."""
    return ((dec + 90) / height).astype(np.int64) + 1


def _sorted(ra: FloatArray, dec: FloatArray, height: float) -> _Places:
    """Places by zone and right ascension, without those that are NaN."""
    row = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    ra, dec = ra[row] % 360, dec[row]
    order = np.argsort(_zone(dec, height) * 360.0 + ra)
    ra, dec = ra[order], dec[order]
    lon, lat = np.radians(ra), np.radians(dec)
    vector = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    return _Places(row[order], ra, dec, vector)


@compiled()
def _match(
    mine: _Places,
    theirs: _Places,
    start: IntArray,
    limits: tuple[float, float],
    out: tuple[IntArray, IntArray, IntArray, FloatArray],
) -> None:
    """Count the pairs of each place, or write them where there are offsets.

    ``start`` is where zones of the second catalog begin, ``limits`` are the height of a zone, deg, and the
    largest angle, radians; ``out`` are counts, offsets, places of the second catalog, and chords.
    """
    (height, reach), (count, offset, second, chord) = limits, out
    # What is exactly as far must not be lost by rounding.
    largest = (2 * np.sin(reach / 2)) ** 2 * (1 + 1e-9)
    for row in range(mine.ra.size):
        found = 0
        window = _window(np.radians(mine.dec[row]), reach)
        zone = int((mine.dec[row] + 90) / height) + 1
        for near in range(zone - 1, zone + 2):
            for turn in range(-360, 361, 360):
                low, high = mine.ra[row] - window + turn, mine.ra[row] + window + turn
                if high < 0 or low > 360:
                    continue
                at = start[near] + np.searchsorted(theirs.ra[start[near] : start[near + 1]], low)
                while at < start[near + 1] and theirs.ra[at] <= high:
                    square = 0.0
                    for axis in range(3):
                        square += (mine.vector[row, axis] - theirs.vector[at, axis]) ** 2
                    if square <= largest:
                        if offset.size:
                            second[offset[row] + found] = at
                            chord[offset[row] + found] = np.sqrt(square)
                        found += 1
                    at += 1
        count[row] = found


@compiled()
def _window(dec: float, reach: float) -> float:
    """Half of the range of right ascension, deg, in which places may be that near; 180 about the poles."""
    farthest = min(abs(dec) + reach, np.pi / 2)
    narrow = np.sqrt(max(np.cos(dec) * np.cos(farthest), 0.0))
    if narrow <= np.sin(reach / 2):
        return 179.999999
    return float(np.degrees(2 * np.arcsin(np.sin(reach / 2) / narrow)) + _SLACK)
