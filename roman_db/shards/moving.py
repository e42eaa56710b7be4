"""Light curves of ranges of objects moved between servers, while people read and loaders write.

A partition is copied, the copy is committed and compared, and takes the place of the partition when no
transaction is left that could not see it. Whoever reads sees the one or the other, and the same points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2.errors
import sqlalchemy as sa

from roman_db import session
from roman_db.locks import held
from roman_db.query.error import QueryError
from roman_db.session import Role
from roman_db.shards import storage
from roman_db.shards.ranges import Range, assign
from roman_db.shards.server import LOCK
from roman_db.transactions import wait_for_others
from roman_db.verify.checksum import Content, contents, total

#: Told after each partition: its name, partitions done, partitions in all.
Progress = Callable[[str, int, int], None]

#: Readers and writers of the moment may take so long before a copy takes the place of a partition.
_PATIENCE_S = 600.0
#: New readers wait behind one who wants to replace what others read: it gives up soon, and tries again.
_LOCK_PATIENCE = "2s"
_TRIES = 30
_MISPLACED = sa.text("SELECT partition FROM ops.misplaced_light_curve_leaves()")
_IS_THERE = sa.text("SELECT to_regclass('roman_partition.' || :partition) IS NOT NULL")
_COPY = sa.text("SELECT * FROM ops.copy_light_curve_leaf(:partition)")
_REPLACE = sa.text(
    "SELECT ops.replace_light_curve_leaf(:partition, :n_row, CAST(:pieces AS text[]), "
    "CAST(:first AS bigint[]), CAST(:last AS bigint[]))"
)
_LEFTOVERS = sa.text("SELECT ops.shard_leftovers(:shard)")


@dataclass(frozen=True)
class _Copy:
    """Tables with the rows of a partition: names, first objects, first objects after; None is without end."""

    partition: str
    pieces: list[str]
    first: list[int | None]
    last: list[int | None]


def move(new: Range, progress: Progress) -> int:
    """Move the light curves of a range of objects to a shard, or here; an interrupted move is taken up again.

    Blocks that are written from now on go there at once.

    Returns
    -------
    int
        The number of partitions that were rewritten.

    Raises
    ------
    QueryError
        If there is no such shard, the range is none, or a copy differs from its partition.
    """
    with held(LOCK):
        with session.transaction(Role.OWNER) as connection:
            if new.shard is not None:
                storage.check_known(connection, new.shard)
            _check_attached(connection)
            try:
                ranges = assign(storage.stored_ranges(connection), new)
            except ValueError as error:
                raise QueryError(str(error)) from None
            storage.store_ranges(connection, ranges)
        return _settle(progress)


def _settle(progress: Progress) -> int:
    """Move what is not where it belongs, then drop what is left on shards."""
    # A writer that asked for the ranges before they changed makes a generation that is misplaced.
    wait_for_others(_PATIENCE_S)
    with session.transaction(Role.OWNER) as connection:
        misplaced = list(connection.execute(_MISPLACED).scalars())
    for number, partition in enumerate(misplaced):
        progress(partition, number, len(misplaced))
        _move_leaf(partition)
    if misplaced:
        progress("partitions", len(misplaced), len(misplaced))
    drop_leftovers()
    return len(misplaced)


def drop_leftovers() -> None:
    """Drop partitions of shards that no table here leads to: moved, compacted, or of transactions cut off."""
    with session.transaction(Role.OWNER) as connection:
        shards = [one["shard"] for one in storage.list_shards(connection)]
        found = {one: list(connection.execute(_LEFTOVERS, {"shard": one}).scalars()) for one in shards}
    if not any(found.values()):
        return
    # A table that is not led to yet may be of a transaction that is about to end.
    wait_for_others(_PATIENCE_S)
    for shard, partitions in found.items():
        if partitions:
            with session.transaction(Role.OWNER) as connection:
                connection.execute(sa.select(sa.func.ops.drop_shard_leftovers(shard, partitions)))


def _check_attached(connection: sa.Connection) -> None:
    """Make sure that no season is in files: what came back from them would be out of its place."""
    kept = connection.execute(sa.text("SELECT count(*) FROM ops.detached_partition")).scalar_one()
    if kept:
        raise QueryError(
            f"{kept} partitions are in files, or are to be: bring their seasons back before "
            "(roman-db season list, roman-db season attach)"
        )


def _move_leaf(partition: str) -> None:
    """Copy a partition, and let the copy take its place; again where it was written to meanwhile.

    One that compaction has dropped since is left alone.

    Raises
    ------
    QueryError
        If it is written to again and again.
    """
    for _ in range(_TRIES):
        with session.transaction(Role.OWNER) as connection:
            if not connection.execute(_IS_THERE, {"partition": partition}).scalar_one():
                return
            rows = list(connection.execute(_COPY, {"partition": partition}))
        copy = _Copy(partition, *([row[k] for row in rows] for k in range(3)))
        n_row = _checked(copy)
        if n_row is not None and _replace(copy, n_row):
            return
    raise QueryError(f"{partition} is written to all the time: give the same command again when loaders rest")


def _checked(copy: _Copy) -> int | None:
    """Number of rows of a partition and its copy, which hold the same; None if it was written to meanwhile.

    Raises
    ------
    QueryError
        If the copy holds other rows.
    """
    with session.reading(Role.OWNER) as connection:
        there = {piece: contents(connection, f"roman_partition.{piece}") for piece in copy.pieces}
        here = contents(connection, f"roman_partition.{copy.partition}")
    copied: dict[int, list[Content]] = {}
    for found in there.values():
        for block_id, content in found.items():
            copied.setdefault(block_id, []).append(content)
    parts = {block_id: total(dict(enumerate(some))) for block_id, some in copied.items()}
    differing = sorted(block_id for block_id, content in parts.items() if here.get(block_id) != content)
    if differing:
        raise QueryError(
            f"{copy.partition}: the copy of block {differing[0]} is not what was copied; the partition stays "
            "as it is. See to the shard's disk and memory, then give the same command again"
        )
    return None if set(here) - set(parts) else total(here).n_row


def _replace(copy: _Copy, n_row: int) -> bool:
    """Let a copy take the place of its partition, unless that was written to since."""
    values = {
        "partition": copy.partition,
        "n_row": n_row,
        "pieces": copy.pieces,
        "first": copy.first,
        "last": copy.last,
    }
    for attempt in range(_TRIES):
        wait_for_others(_PATIENCE_S)
        try:
            with session.transaction(Role.OWNER) as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
                return bool(connection.execute(_REPLACE, values).scalar_one())
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, psycopg2.errors.LockNotAvailable) or attempt == _TRIES - 1:
                raise
    return False
