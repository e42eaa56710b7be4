"""What blocks of light curves hold: noted once, compared ever after, for a block is never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.schema.metadata import table
from roman_db.session import Role

#: Tables that are partitioned by block.
TABLES = ("light_curve_segment", "astrometry_segment", "shape_segment", "light_curve_summary")
#: Sums of 64 bits do not depend on the order of the rows; a row that is there twice, or not, changes them.
_ROWS = """
    SELECT block_id, count(*) AS n_row,
        sum(('x' || left(md5(record_send(t)), 16))::bit(64)::bigint::numeric)::text AS checksum
    FROM {source} AS t {condition} GROUP BY block_id
"""
_NOTED = sa.text("SELECT block_id, n_row, checksum FROM ops.block_checksum WHERE table_name = :name")
_CURRENT = sa.text("SELECT block_id, start_mjd FROM roman.light_curve_block WHERE superseded_at IS NULL")
_WINDOWS = sa.text(
    """
    SELECT p.from_mjd, p.to_mjd, ops.is_detached(p.from_mjd, p.to_mjd) AS is_detached
    FROM ops.light_curve_partition AS p WHERE p.to_mjd > :from_mjd ORDER BY p.from_mjd
    """
)


@dataclass(frozen=True)
class Content:
    """Rows of a block in a table: how many, and the sum of 64 bits of the MD5 of each."""

    n_row: int
    checksum: str


@dataclass(frozen=True)
class Difference:
    """A block that does not hold what was noted; None where it holds nothing."""

    table_name: str
    block_id: int
    noted: Content
    found: Content | None

    def __str__(self) -> str:
        """Say what is wrong."""
        if self.found is None:
            return f"block {self.block_id} of {self.table_name}: its {self.noted.n_row} rows are gone"
        if self.found.n_row != self.noted.n_row:
            counts = f"{self.found.n_row} rows instead of {self.noted.n_row}"
            return f"block {self.block_id} of {self.table_name}: {counts}"
        return f"block {self.block_id} of {self.table_name}: its rows are others than were noted"


@dataclass(frozen=True)
class Comparison:
    """What came of a table: blocks as noted, blocks noted now, and what is wrong."""

    table_name: str
    n_same: int
    n_new: int
    differences: tuple[Difference, ...]
    skipped_days: tuple[tuple[int, int], ...]


def contents(connection: sa.Connection, source: str, condition: str = "") -> dict[int, Content]:
    """Contents of the blocks in a table or partition, by their identifier; both are SQL that is ours."""
    rows = connection.exec_driver_sql(_ROWS.format(source=source, condition=condition))
    return {row.block_id: Content(row.n_row, row.checksum) for row in rows}


def total(found: dict[int, Content]) -> Content:
    """Content of several blocks together."""
    return Content(
        sum(one.n_row for one in found.values()), str(sum(int(one.checksum) for one in found.values()))
    )


def compare(from_mjd: int = 0) -> Iterator[Comparison]:
    """Compare the blocks of windows that end after a day with what was noted, and note those that are new.

    Windows whose segments are detached are skipped; what was superseded may be gone.
    """
    for name in TABLES:
        with session.reading(Role.LOADER) as connection:
            windows = connection.execute(_WINDOWS, {"from_mjd": from_mjd}).all()
            here = [one for one in windows if not one.is_detached or name == "light_curve_summary"]
            found = _found(connection, name, here)
            noted = _noted(connection, name)
            current = _current(connection, here)
        new = {block_id: one for block_id, one in found.items() if block_id not in noted}
        _note(name, new)
        wrong = tuple(
            Difference(name, block_id, said, found.get(block_id))
            for block_id, said in noted.items()
            if found.get(block_id, None if block_id in current else said) != said
        )
        n_same = len(found) - len(new) - sum(one.found is not None for one in wrong)
        skipped = tuple((one.from_mjd, one.to_mjd) for one in windows if one not in here)
        yield Comparison(name, n_same, len(new), wrong, skipped)


def note_blocks(name: str, blocks: Mapping[int, int]) -> None:
    """Note what blocks hold in a table, where nothing is noted; a kill loses the blocks of one day.

    Parameters
    ----------
    name
        Table of the schema roman.
    blocks
        First day (start_mjd) of each block.
    """
    with session.reading(Role.LOADER) as connection:
        noted = _noted(connection, name)
    for found in read_blocks(name, {key: day for key, day in blocks.items() if key not in noted}):
        _note(name, found)


def read_blocks(name: str, blocks: Mapping[int, int]) -> Iterator[dict[int, Content]]:
    """Read what blocks hold in a table: a transaction for those that begin on one day."""
    for day in sorted(set(blocks.values())):
        mine = {key: first for key, first in blocks.items() if first == day}
        with session.reading(Role.LOADER) as connection:
            found = contents_of(connection, name, mine)
        yield found


def contents_of(connection: sa.Connection, name: str, blocks: Mapping[int, int]) -> dict[int, Content]:
    """Contents of some blocks in a table, in a transaction; those without rows there are left out."""
    if not blocks:
        return {}
    days, keys = (", ".join(map(str, sorted(set(some)))) for some in (blocks.values(), blocks))
    return contents(connection, f"roman.{name}", f"WHERE start_mjd IN ({days}) AND block_id IN ({keys})")


def noted_of(connection: sa.Connection, name: str, blocks: Collection[int]) -> dict[int, Content]:
    """What was noted of some blocks in a table."""
    return {key: one for key, one in _noted(connection, name).items() if key in blocks}


def _found(connection: sa.Connection, name: str, windows: Sequence[sa.Row[Any]]) -> dict[int, Content]:
    """What the blocks of windows hold in a table, window by window."""
    found: dict[int, Content] = {}
    for window in windows:
        days = f"WHERE start_mjd >= {window.from_mjd} AND start_mjd < {window.to_mjd}"
        found |= contents(connection, f"roman.{name}", days)
    return found


def _noted(connection: sa.Connection, name: str) -> dict[int, Content]:
    """What was noted of a table."""
    rows = connection.execute(_NOTED, {"name": name})
    return {row.block_id: Content(row.n_row, row.checksum) for row in rows}


def _current(connection: sa.Connection, windows: Sequence[sa.Row[Any]]) -> set[int]:
    """Blocks of windows that nothing has replaced."""
    rows = connection.execute(_CURRENT).all()
    return {
        row.block_id for row in rows if any(one.from_mjd <= row.start_mjd < one.to_mjd for one in windows)
    }


def _note(name: str, new: Mapping[int, Content]) -> None:
    """Note what blocks hold."""
    rows = [
        {"block_id": block_id, "table_name": name, "n_row": one.n_row, "checksum": one.checksum}
        for block_id, one in new.items()
    ]
    if rows:
        insert = sa.dialects.postgresql.insert(table("ops.block_checksum")).on_conflict_do_nothing()
        with session.transaction() as connection:
            connection.execute(insert, rows)
