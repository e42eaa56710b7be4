"""A catalog of somebody's held against the objects of the database, wherever on the sky it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from roman_db.archive.hats.placing import spatial_index
from roman_db.archive.hats.storage import open_snapshot
from roman_db.archive.hats.tile import DRIFT, FINEST, Tile, surroundings
from roman_db.crossmatch import Pairs, crossmatch
from roman_db.query.error import QueryError

#: Order of the parts of the sky that are matched one after the other: a tenth of a degree wide.
_ORDER = 9

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Match:
    """What is matched, and how.

    Parameters
    ----------
    ra, dec
        Columns of the catalog with its places, deg ICRS.
    radius
        Largest angle, arcsec.
    nearest
        Whether of each row the nearest object alone is wanted.
    """

    ra: str = "ra"
    dec: str = "dec"
    radius: float = 1.0
    nearest: bool = False


def match_file(source: Path, target: Path, match: Match, step: Step) -> tuple[int, int]:
    """Write the rows of a Parquet file with the objects near them, one row a pair.

    The columns ``object_id`` and ``separation`` (arcsec) are added.

    Returns
    -------
    tuple of int
        Rows of the file, and pairs.

    Raises
    ------
    QueryError
        If a file cannot be read or written, or has no such columns.
    """
    try:
        catalog = parquet.read_table(source)
        places = pa.table({name: _numbers(catalog, getattr(match, name)) for name in ("ra", "dec")})
        parts = list(_matched(places, match, step))
        pairs = pa.concat_tables(parts) if parts else _NONE.schema.empty_table()
        rows = catalog.take(pairs["row"])
        for name in ("object_id", "separation"):
            rows = rows.append_column(_NONE.schema.field(name), pairs[name])
        parquet.write_table(rows, target, compression="zstd")
    except (OSError, pa.ArrowException, ValueError) as error:
        raise QueryError(f"{source}: {error}") from error
    return len(catalog), len(rows)


_NONE = pa.table(
    {
        "row": pa.array([], pa.int64()),
        "object_id": pa.array([], pa.int64()),
        "separation": pa.array([], pa.float64()),
    }
)


def _numbers(catalog: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """Column of numbers; what is empty is NaN."""
    if name not in catalog.column_names:
        raise ValueError(f"there is no column {name!r}: {', '.join(catalog.column_names)}")
    return np.asarray(catalog[name].cast(pa.float64()).to_numpy(), np.float64)


def _matched(places: pa.Table, match: Match, step: Step) -> Iterator[pa.Table]:
    """Pairs of one part of the sky after the other."""
    ra, dec = (places[name].to_numpy() for name in ("ra", "dec"))
    row = np.flatnonzero(np.isfinite(ra) & (np.abs(dec) <= 90))
    cell = spatial_index(places.take(pa.array(row))) >> 2 * (FINEST - _ORDER)
    cells, number = np.unique(cell, return_inverse=True)
    row = row[np.argsort(number, kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=cells.size))])
    with open_snapshot() as snapshot, snapshot.reader() as reader:
        objects = snapshot.query("object_place")
        for at, one in enumerate(cells.tolist()):
            near = reader.within(objects, surroundings(Tile(_ORDER, one), match.radius + DRIFT))
            mine = row[bounds[at] : bounds[at + 1]]
            pairs = crossmatch(
                ra[mine], dec[mine], near["ra"].to_numpy(), near["dec"].to_numpy(), match.radius
            )
            yield _table(mine, near, pairs.nearest() if match.nearest else pairs)
            step("parts of the sky", at + 1, cells.size)


def _table(row: npt.NDArray[np.int64], objects: pa.Table, pairs: Pairs) -> pa.Table:
    """Pairs as rows of the file and objects."""
    return pa.table(
        {
            "row": row[pairs.first],
            "object_id": objects["object_id"].to_numpy()[pairs.second],
            "separation": pairs.separation,
        }
    )
