"""Partitions of light curves to files and back, each in the place of another that was committed before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psycopg2.errors
import pyarrow as pa
import sqlalchemy as sa

from loaders.rejection import Rejected
from loaders.season_archive import archive_file
from roman_db import session
from roman_db.load_run import LoadRun
from roman_db.schema.metadata import table
from roman_db.session import Role
from roman_db.transactions import wait_for_others
from roman_db.verify.checksum import Content, contents, total

#: Readers and writers of the moment may take so long before a partition takes the place of another.
_PATIENCE_S = 600.0
#: New readers wait behind one who wants to replace what others read: it gives up soon, and tries again.
_LOCK_PATIENCE = "2s"
_TRIES = 30
_DAYS = sa.text(
    """
    SELECT min(p.from_mjd) AS from_mjd, max(p.to_mjd) AS to_mjd, bool_and(p.sealed OR NOT EXISTS (
        SELECT FROM roman.light_curve_block AS b
        WHERE b.start_mjd >= p.from_mjd AND b.start_mjd < p.to_mjd AND b.superseded_at IS NULL
            AND b.detector IS NOT NULL
    )) AS is_sealed, bool_or(EXISTS (
        SELECT FROM ops.light_curve_places() AS l WHERE l.from_mjd = p.from_mjd AND l.shard IS NOT NULL
    )) AS is_on_shards
    FROM ops.light_curve_partition AS p JOIN roman.season AS s
        ON p.from_mjd < s.end_mjd AND p.to_mjd > s.start_mjd
    WHERE s.survey = :survey AND s.season = :season
    """
)
_LEAVES = sa.text(
    """
    SELECT leaf.partition, leaf.from_mjd, leaf.to_mjd, kept.state
    FROM ops.light_curve_leaves(:from_mjd, :to_mjd) AS leaf
    LEFT JOIN ops.detached_partition AS kept USING (partition)
    ORDER BY leaf.partition
    """
)
_STUB = """
    INSERT INTO roman_partition.{beside} (object_id, block_id, start_mjd)
    SELECT object_id, block_id, start_mjd FROM roman_partition.{partition}
"""


@dataclass(frozen=True)
class Season:
    """A season, and the days [from_mjd, to_mjd) of the windows that hold it (MJD TDB)."""

    survey: str
    season: int
    from_mjd: int
    to_mjd: int


@dataclass(frozen=True)
class Leaf:
    """A partition with the days of its window; ``state`` is None where all of it is in the database alone."""

    partition: str
    from_mjd: int
    to_mjd: int
    state: str | None


@dataclass(frozen=True)
class Kept:
    """What is known of a partition that is in a file."""

    partition: str
    survey: str
    season: int
    from_mjd: int
    to_mjd: int
    url: str
    sha256: str
    size_bytes: int
    n_row: int
    checksum: str


def season_of(connection: sa.Connection, survey: str, number: int) -> Season:
    """Return a season that can be detached.

    Raises
    ------
    Rejected
        Code ``season_unknown`` if it has no light curves, ``season_not_sealed`` if it may still grow,
        ``season_on_shards`` if some of it is on other servers.
    """
    found = connection.execute(_DAYS, {"survey": survey, "season": number}).one()
    where = f"season {number} of {survey}"
    if found.from_mjd is None:
        raise Rejected(where, "has no light curves", "Name a season of the survey that has", "season_unknown")
    if not found.is_sealed:
        remedy = f"Seal it when it is over: roman-db run seal {survey} {number}"
        raise Rejected(where, "is not sealed: loaders may still write to it", remedy, "season_not_sealed")
    if found.is_on_shards:
        remedy = "Bring the objects back before: roman-db shards list, roman-db shards move here"
        raise Rejected(where, "has light curves on shards", remedy, "season_on_shards")
    return Season(survey, number, found.from_mjd, found.to_mjd)


def leaves_of(connection: sa.Connection, season: Season) -> list[Leaf]:
    """Return the partitions that hold segments of a season."""
    days = {"from_mjd": season.from_mjd, "to_mjd": season.to_mjd}
    return [Leaf(*row) for row in connection.execute(_LEAVES, days)]


def kept_partitions(
    connection: sa.Connection, survey: str | None = None, season: int | None = None
) -> list[Kept]:
    """Return the partitions that are detached: of a season, or all."""
    kept = table("ops.detached_partition")
    columns = [kept.c[name] for name in Kept.__dataclass_fields__]
    wanted = sa.select(*columns).where(kept.c.state == "detached").order_by(kept.c.partition)
    if survey is not None:
        wanted = wanted.where(kept.c.survey == survey, kept.c.season == season)
    return [Kept(*row) for row in connection.execute(wanted)]


def archive(season: Season, leaf: Leaf, url: str, run: LoadRun) -> None:
    """Write a partition to a file, load the file again beside it, and note it if both hold the same.

    Raises
    ------
    Rejected
        Code ``archive_differs`` if what is read is not what was written.
    """
    with _stream(leaf.partition) as reader:
        written = archive_file.write(url, reader.schema, reader)
    with session.reading(Role.LOADER) as connection:
        here = _content(connection, leaf.partition)
    _load_beside(leaf.partition, url, here)
    kept = Kept(
        leaf.partition, season.survey, season.season, leaf.from_mjd, leaf.to_mjd, url,
        written.sha256, written.size_bytes, here.n_row, here.checksum,
    )  # fmt: skip
    with session.transaction() as connection:
        connection.execute(sa.select(sa.func.ops.drop_beside_partition(leaf.partition)))
        _forget(connection, leaf.partition)
        row = asdict(kept) | {"state": "archived", "load_run_id": run.load_run_id}
        connection.execute(table("ops.detached_partition").insert(), row)
        run.count(connection, loaded=1)


def detach(leaf: Leaf, run: LoadRun) -> None:
    """Let the keys alone take the place of a partition that is in a file.

    Raises
    ------
    Rejected
        Code ``archive_outdated`` if it was written to since; it is archived again at the next run.
    """
    with session.transaction() as connection:
        beside = _make_beside(connection, leaf.partition)
        connection.exec_driver_sql(_STUB.format(beside=beside, partition=leaf.partition))
    _replace(leaf.partition, leaf.from_mjd, "detached", run)


def attach(kept: Kept, run: LoadRun) -> None:
    """Bring a partition back from its file.

    Raises
    ------
    Rejected
        Code ``archive_damaged`` or ``archive_differs`` if the file does not hold what was written.
    """
    archive_file.check(kept.url, kept.sha256)
    _load_beside(kept.partition, kept.url, Content(kept.n_row, kept.checksum))
    _replace(kept.partition, kept.from_mjd, "attached", run)


def _load_beside(partition: str, url: str, expected: Content) -> None:
    """Load a file into a table beside a partition, and check that it holds what is expected."""
    with session.transaction() as connection:
        beside = _make_beside(connection, partition)
    with archive_file.rows(url) as reader:
        session.ingest("roman_partition", beside, reader)
    with session.reading(Role.LOADER) as connection:
        found = _content(connection, beside)
    if found != expected:
        what = f"gives {found.n_row} rows with the checksum {found.checksum}, and not {expected}"
        remedy = "Bring the file back from a copy, or have it written again, then run it again"
        raise Rejected(url, what, remedy, "archive_differs")


def _replace(partition: str, from_mjd: int, state: str, run: LoadRun) -> None:
    """Let the table beside a partition take its place, when no transaction is left that cannot see it.

    The lock waits for readers of the partition; it is tried again and again: nobody waits long behind it.
    """
    for attempt in range(_TRIES):
        wait_for_others(_PATIENCE_S)
        try:
            with session.transaction() as connection:
                is_replaced = _swap(connection, partition, from_mjd, state)
                run.count(connection, loaded=int(is_replaced))
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, psycopg2.errors.LockNotAvailable) or attempt == _TRIES - 1:
                raise
        else:
            if is_replaced:
                return
            what = "was written to after it was archived"
            raise Rejected(partition, what, "Run it again: it is archived anew", "archive_outdated")


def _swap(connection: sa.Connection, partition: str, from_mjd: int, state: str) -> bool:
    """Replace a partition and note its state; not if it was written to since it was archived."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
    connection.execute(sa.select(sa.func.ops.lock_light_curve_window(from_mjd)))
    kept = table("ops.detached_partition")
    mine = kept.c.partition == partition
    if state == "detached":
        known = connection.execute(sa.select(kept.c.n_row, kept.c.checksum).where(mine)).one()
        if _content(connection, partition) != Content(*known):
            _forget(connection, partition)
            return False
        connection.execute(kept.update().where(mine).values(state=state, changed_at=sa.func.now()))
    else:
        _forget(connection, partition)
    connection.execute(sa.select(sa.func.ops.replace_partition(partition)))
    return True


def _make_beside(connection: sa.Connection, partition: str) -> str:
    """Make an empty table beside a partition and return its name."""
    return str(connection.execute(sa.select(sa.func.ops.make_beside_partition(partition))).scalar_one())


def _forget(connection: sa.Connection, partition: str) -> None:
    """Forget that a partition is in a file."""
    kept = table("ops.detached_partition")
    connection.execute(kept.delete().where(kept.c.partition == partition))


def _content(connection: sa.Connection, partition: str) -> Content:
    """Rows of a table in ``roman_partition``, and their checksum."""
    return total(contents(connection, f"roman_partition.{partition}"))


@contextmanager
def _stream(partition: str) -> Iterator[pa.RecordBatchReader]:
    """Rows of a partition in the order of objects."""
    query = f"SELECT * FROM roman_partition.{partition} ORDER BY object_id, start_mjd, block_id"
    with session.arrow_connection(Role.LOADER) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        yield cursor.fetch_record_batch()
