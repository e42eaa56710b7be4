"""Area of the sky of which an answer tells, counted while its rows pass.

Rows that have stored identifiers of objects, or stored places, each lie in a cell of one size; the area is
that of the different cells. Identifiers of objects begin with the HEALPix cell of order 14 (13 arcsec) in
which the object is; places without identifiers are put into cells of the same area between circles of
latitude (Lambert's cylindrical projection). Different cells are counted by HyperLogLog (Flajolet et al.
2007) with Ertl's estimator (2017, arXiv:1702.01284, algorithm 6): in 16 kB whatever the area, with a
standard error of 0.8 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roman_db.tap.adql import UPLOAD_SCHEMA, OutputColumn
from roman_db.tap.adql.value import number_sql, quoted_name

#: Order of the cells, and bits of an identifier that say where in its cell an object is.
_ORDER, _WITHIN = 14, 2 * (29 - 14)
#: Cells around the sky and from pole to pole: as many as HEALPix has.
_N_RA, _N_Z = 2**16, 3 * 2**14
#: Area of a cell, deg2.
CELL_AREA = 4 * 180.0**2 / math.pi / (12 * 4**_ORDER)
#: Bits of a hash that choose a register, and those that are left.
_BITS = 14
_LEFT = 64 - _BITS
_N_REGISTER = 2**_BITS

#: How the sources of columns begin that came with the request.
_OWN = f"{UPLOAD_SCHEMA}."
#: Datatypes of identifiers of objects, and of coordinates.
_IDENTIFIER, _COORDINATE = ("long",), ("double", "float")

Cells = npt.NDArray[np.uint64]


class DistinctCells:
    """Number of different cells among many."""

    def __init__(self) -> None:
        self._registers = np.zeros(_N_REGISTER, np.uint8)

    def add(self, cells: Cells) -> None:
        """Count some cells, any number of times each.

        Parameters
        ----------
        cells
            Their numbers, shape (n,).
        """
        if len(cells) == 0:
            return
        is_other = np.concatenate([[True], cells[1:] != cells[:-1]])  # rows often come cell by cell
        mixed = _mixed(cells[is_other])
        rest = (mixed & np.uint64(2**_LEFT - 1)).astype(np.float64)
        rank = (_LEFT + 1 - np.frexp(rest)[1]).astype(np.uint8)
        np.maximum.at(self._registers, (mixed >> np.uint64(_LEFT)).astype(np.intp), rank)

    @property
    def number(self) -> float:
        """Estimate of the number."""
        count = np.bincount(self._registers, minlength=_LEFT + 2)
        z = _N_REGISTER * _tau(1 - count[_LEFT + 1] / _N_REGISTER)
        for k in range(_LEFT, 0, -1):
            z = 0.5 * (z + count[k])
        z += _N_REGISTER * _sigma(count[0] / _N_REGISTER)
        return float(_N_REGISTER**2 / (2 * math.log(2)) / z)


class AnswerArea:
    """Area of the sky of which the rows of a query tell.

    Parameters
    ----------
    columns
        Columns of the rows.
    """

    def __init__(self, columns: Sequence[OutputColumn]) -> None:
        self._id, self._place = _telling(columns)
        self._cells = DistinctCells()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count some rows; those without an identifier or a place have no area."""
        if self._id is not None:
            ids = batch.column(self._id).drop_null().to_numpy(zero_copy_only=False)
            self._cells.add(cells_of_ids(ids.astype(np.int64, copy=False)))
        elif self._place is not None:
            ra, dec = (batch.column(n).to_numpy(zero_copy_only=False) for n in self._place)
            self._cells.add(cells_of_places(ra.astype(np.float64), dec.astype(np.float64)))

    @property
    def area(self) -> float | None:
        """Area in square degrees; None where rows say nothing of where they lie."""
        if self._id is None and self._place is None:
            return None
        return float(self._cells.number * CELL_AREA)


def _telling(columns: Sequence[OutputColumn]) -> tuple[int | None, tuple[int, int] | None]:
    """Number of the column of identifiers, or numbers of those of places, that tell where rows lie."""
    sources = [_stored_source(one) for one in columns]
    by_source = {one: n for n, one in reversed(list(enumerate(sources))) if one is not None}
    ids = [n for source, n in by_source.items() if source.endswith(".object_id")]
    if ids:
        return ids[0], None
    places = [
        (n, by_source[f"{source[:-3]}.dec"])
        for source, n in by_source.items()
        if source.endswith(".ra") and f"{source[:-3]}.dec" in by_source
    ]
    return None, places[0] if places else None


def _stored_source(column: OutputColumn) -> str | None:
    """Source of a stored column whose type is that of identifiers or coordinates; None for any other."""
    source = column.source
    if source is None or source.upper().startswith(_OWN) or column.arraysize not in (None, "1"):
        return None
    fitting = _IDENTIFIER if source.endswith(".object_id") else _COORDINATE
    return source if column.datatype in fitting else None


def area_sql(columns: Sequence[OutputColumn]) -> str | None:
    """SQL of the area in square degrees of which the rows of a table tell, as an aggregate of them.

    Parameters
    ----------
    columns
        Columns of the table.

    Returns
    -------
    The number of different cells, as `AnswerArea` has them, times their area; None where rows say nothing of
    where they lie.
    """
    identifier, place = _telling(columns)
    if identifier is not None:
        cell = f"{quoted_name(columns[identifier].name)} >> {_WITHIN}"
    elif place is not None:
        ra, dec = (quoted_name(columns[n].name) for n in place)
        z = f"sin(radians(CASE WHEN abs({dec}) <= 90 THEN {dec} END))"
        row = f"least(floor(({z} + 1) * {_N_Z // 2}), {_N_Z - 1})"
        turn = f"CASE WHEN abs({ra}) < 1e9 THEN {ra} / 360 END"
        cell = f"{row} * {_N_RA} + floor(({turn} - floor({turn})) * {_N_RA})"
    else:
        return None
    return f"count(DISTINCT {cell}) * {number_sql(CELL_AREA)}"


def area_of_ids(object_ids: Sequence[int]) -> float:
    """Area of the cells in which objects are, in square degrees."""
    return float(len(np.unique(cells_of_ids(np.array(object_ids, np.int64)))) * CELL_AREA)


def cells_of_ids(object_ids: npt.NDArray[np.int64]) -> Cells:
    """Cells of HEALPix (nested) in which objects are, shape (n,) as the identifiers."""
    return (object_ids >> _WITHIN).astype(np.uint64)


def cells_of_places(ra: npt.NDArray[np.float64], dec: npt.NDArray[np.float64]) -> Cells:
    """Cells between circles of latitude in which places are; near the poles they are long and narrow.

    Parameters
    ----------
    ra, dec
        Right ascension and declination (ICRS, deg), shape (n,); NaN is in no cell.

    Returns
    -------
    Numbers of cells, shape (m,), m <= n.
    """
    is_place = np.isfinite(ra) & np.isfinite(dec)
    z = np.sin(np.radians(dec[is_place]))
    row = np.clip((0.5 * (z + 1) * _N_Z).astype(np.int64), 0, _N_Z - 1)
    column = (ra[is_place] % 360 / 360 * _N_RA).astype(np.int64) % _N_RA
    return (row * _N_RA + column).astype(np.uint64)


def _mixed(values: Cells) -> Cells:
    """Hashes of 64 bits (splitmix64; Steele, Lea and Flood 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _sigma(x: float) -> float:
    """Ertl's sigma: what registers that are empty add."""
    if x == 1:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    """Ertl's tau: what registers that are full add."""
    if x in (0, 1):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before, y = math.sqrt(x), z, 0.5 * y
        z -= (1 - x) ** 2 * y
    return z / 3
