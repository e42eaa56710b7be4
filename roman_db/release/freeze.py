"""Data releases frozen and verified: the only file here that asks the database.

A release is a schema of its own. Small tables are copied into it, one a file of ``queries/releases``. Points
of light curves are shared with the present, since blocks never change: the release has a copy of the rows of
its blocks, and what holds them is not dropped. Views put the two together as those of ``roman`` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from roman_db import session, sqlfile
from roman_db.load_run import load_run
from roman_db.query.error import QueryError
from roman_db.schema.metadata import table
from roman_db.session import Role
from roman_db.sqlfile import SqlFile
from roman_db.verify.checksum import Content, contents_of, note_blocks, noted_of, read_blocks, total

#: Views of a release, and the tables that they share with the present.
VIEWS = ("light_curve", "light_curve_array", "astrometry_curve", "shape_curve")
SHARED = ("light_curve_segment", "astrometry_segment", "shape_segment")
_BLOCKS = "light_curve_block"
_CONTENT = "releases"
#: Releases are made and dropped one after the other.
ONE_AFTER_THE_OTHER = "SELECT pg_advisory_xact_lock(hashtext('ops.data_release'))"
_COLUMNS = sa.text(
    """
    INSERT INTO ops.data_release_column (
        data_release, table_name, column_name, column_index, datatype, arraysize, xtype, unit, ucd, utype,
        description, is_indexed, is_principal
    )
    SELECT :release, :name, column_name, column_index, datatype, arraysize, xtype, unit, ucd, utype,
        description, indexed = 1, principal = 1
    FROM tap_schema.columns WHERE table_name = 'roman.' || :name
    """
)
_FINISH = ("make_data_release_views", "describe_data_release", "open_data_release")


class ReleaseError(QueryError):
    """A data release cannot be made or found; the message says every reason."""


@dataclass(frozen=True)
class Release:
    """A data release that is to be made.

    Parameters
    ----------
    name
        Its name, such as dr1.
    survey, season
        Survey layout, and season; 0 for all.
    note
        Why it is frozen though not all is consistent; None where it is to be.
    """

    name: str
    survey: str
    season: int
    note: str | None = None


@dataclass(frozen=True)
class Digest:
    """Rows of a table: how many, and the sum over them of 64 bits of the MD5 of each, the same in any order.

    Of a row as text, of the columns that the release has, in tables that it owns; of a row as the server
    sends it, as `roman_db.verify.checksum` notes blocks, in those that it shares.
    """

    n_row: int
    digest: str
    digest_form: str


def make(release: Release) -> int:
    """Freeze what is stored now as a data release, all of one moment, and return how many tables it has.

    Raises
    ------
    ReleaseError
        If there is one of that name, or what is stored is not consistent and nobody has said why then.
    """
    files = sqlfile.read_all(_CONTENT)
    given = {"survey": release.survey, "season": release.season, "data_release": release.name}
    n_table = len(files) + len(VIEWS)
    with load_run("release make", given, n_table) as run:
        noted = _note_blocks(release)
        one_moment = session.engine().execution_options(isolation_level="REPEATABLE READ")
        with one_moment.begin() as connection:
            connection.exec_driver_sql(ONE_AFTER_THE_OTHER)
            calibration = _check(connection, release)
            row = {**given, "calibration": calibration, "note": release.note, "load_run_id": run.load_run_id}
            connection.execute(table("ops.data_release").insert(), row)
            connection.exec_driver_sql(f"CREATE SCHEMA {release.name}")
            for file in files:
                _copy(connection, release, file)
            _share(connection, release.name, noted)
            for function in _FINISH:
                connection.execute(sa.text(f"SELECT ops.{function}(:name)"), {"name": release.name})
            run.count(connection, loaded=n_table)
    return n_table


def list_releases(connection: sa.Connection) -> list[dict[str, Any]]:
    """Read the releases in the order in which they were made."""
    rows = table("ops.data_release")
    return [dict(row) for row in connection.execute(sa.select(rows).order_by(rows.c.frozen_at)).mappings()]


def find(connection: sa.Connection, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read a release and what it holds.

    Raises
    ------
    ReleaseError
        If there is none of that name.
    """
    known = {one["data_release"]: one for one in list_releases(connection)}
    if name not in known:
        raise ReleaseError(f"there is no data release {name!r}: {', '.join(known) or 'none was made yet'}")
    tables = table("ops.data_release_table")
    query = sa.select(tables).where(tables.c.data_release == name).order_by(tables.c.table_name)
    return known[name], [dict(row) for row in connection.execute(query).mappings()]


def verify(name: str) -> Iterator[str]:
    """Yield what of a release is not as it was frozen; nothing if all is.

    Raises
    ------
    ReleaseError
        If there is none of that name, or it was dropped.
    """
    with session.reading() as connection:
        release, tables = find(connection, name)
    if release["dropped_at"] is not None:
        raise ReleaseError(f"{name} was dropped on {release['dropped_at']:%Y-%m-%d}: nothing of it is left")
    for one in tables:
        with session.reading() as connection:
            is_there = _exists(connection, name, one["table_name"])
        if not is_there:
            yield f"{name}.{one['table_name']} is not there"
        elif one["kind"] != "view":
            yield from _differences(one)


def _differences(one: dict[str, Any]) -> Iterator[str]:
    """What is not as it was in a table."""
    release, name = one["data_release"], one["table_name"]
    found = _found_now(release, name, one["digest_form"])
    if found.n_row != one["n_row"]:
        yield f"{release}.{name} has {found.n_row} rows and not {one['n_row']}"
    elif found.digest != one["digest"]:
        yield f"{release}.{name} has other values than when it was frozen"


def _found_now(release: str, name: str, form: str) -> Digest:
    """Digest of a table of a release as it is; all points are read, not what was noted of them."""
    with session.reading(Role.LOADER) as connection:
        if form == "text":
            return _measure(connection, release, name)
        blocks = _blocks(connection, f"{release}.{_BLOCKS}")
    return _of_blocks({key: held for some in read_blocks(name, blocks) for key, held in some.items()})


def _check(connection: sa.Connection, release: Release) -> str:
    """Make sure that what is stored is worth a release, and return with which versions it was made."""
    for one in list_releases(connection):
        if one["data_release"] == release.name:
            what = "stays as it is" if one["dropped_at"] is None else "was dropped: take another name"
            raise ReleaseError(f"there is a data release {release.name} already, and it {what}")
    query = sa.text(sqlfile.find("jobs", "release_consistency").text)
    found = connection.execute(query, {"survey": release.survey, "season": release.season}).one()
    if not found.n_exposure:
        raise ReleaseError(f"no exposure of {release.survey} season {release.season} is stored")
    reasons = []
    if found.n_unmeasured:
        reasons.append(
            f"{found.n_unmeasured} exposures are in no light curve as they are now: photometer them"
        )
    for what, versions in (("calibrated", found.calibration), ("measured", found.photometry)):
        if len(versions or ()) > 1:
            reasons.append(f"not all was {what} by one version, but by {', '.join(versions)}: do it again")
    if reasons and release.note is None:
        advice = "or say by --despite why it is frozen all the same"
        raise ReleaseError(
            "\n".join([f"{release.name} is not frozen:", *(f"  {one}" for one in reasons), advice])
        )
    return "; ".join([*(found.calibration or ()), *(f"roman-db {one}" for one in found.photometry or ())])


def _copy(connection: sa.Connection, release: Release, file: SqlFile) -> None:
    """Copy a table into a release, with its indexes."""
    place = f"{release.name}.{file.name}"
    like = (
        f"LIKE roman.{file.name} INCLUDING COMMENTS INCLUDING INDEXES INCLUDING STORAGE INCLUDING COMPRESSION"
    )
    connection.exec_driver_sql(f"CREATE TABLE {place} ({like})")
    filling = f"INSERT INTO {place} {_rows_of(release, file)}"
    connection.exec_driver_sql(filling, execution_options={"no_parameters": True})
    connection.exec_driver_sql(f"ANALYZE {place}")
    connection.execute(_COLUMNS, {"release": release.name, "name": file.name})
    held = _measure(connection, release.name, file.name)
    _note(connection, (release.name, file.name), "copied", file.purpose, held)


def _rows_of(release: Release, file: SqlFile) -> str:
    """Query for the rows that a release has of a table."""
    given = {"survey": release.survey, "season": release.season}
    return file.bind({parameter.name: given[parameter.name] for parameter in file.parameters})


def _blocks(connection: sa.Connection, source: str) -> dict[int, int]:
    """First day of each block of a table or query."""
    query = f"SELECT block_id, start_mjd FROM {source} AS b"
    found = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
    return {row.block_id: row.start_mjd for row in found}


def _note_blocks(release: Release) -> dict[int, int]:
    """Note what the blocks hold that are to be frozen, where nothing is noted; return their first days.

    Blocks never change, so that all points are read outside the transaction that freezes.
    """
    with session.reading(Role.LOADER) as connection:
        _check(connection, release)
        blocks = _blocks(connection, f"({_rows_of(release, sqlfile.find(_CONTENT, _BLOCKS))})")
    for name in SHARED:
        note_blocks(name, blocks)
    return blocks


def _share(connection: sa.Connection, name: str, noted: Mapping[int, int]) -> None:
    """Note what a release shares with the present, and keep it from being dropped."""
    keep = f"INSERT INTO ops.data_release_block SELECT '{name}', block_id FROM {name}.{_BLOCKS}"
    connection.exec_driver_sql(keep)
    blocks = _blocks(connection, f"{name}.{_BLOCKS}")
    late = {key: day for key, day in blocks.items() if key not in noted}
    for one in SHARED:
        connection.execute(_COLUMNS, {"release": name, "name": one})
        held = noted_of(connection, one, blocks.keys() - late.keys()) | contents_of(connection, one, late)
        words = f"roman.{one} of the blocks of the release."
        _note(connection, (name, one), "shared", words, _of_blocks(held))
    for one in VIEWS:
        described = sa.text("SELECT description FROM tap_schema.tables WHERE table_name = 'roman.' || :name")
        connection.execute(_COLUMNS, {"release": name, "name": one})
        _note(connection, (name, one), "view", connection.execute(described, {"name": one}).scalar_one())


def _note(
    connection: sa.Connection, name: tuple[str, str], kind: str, description: str, held: Digest | None = None
) -> None:
    """Insert the row of a table of a release, which is named by both; views hold nothing of their own."""
    release, table_name = name
    row: dict[str, object] = {"data_release": release, "table_name": table_name, "kind": kind}
    row |= {"description": description} | ({} if held is None else asdict(held))
    connection.execute(table("ops.data_release_table").insert(), row)


def _of_blocks(held: dict[int, Content]) -> Digest:
    """Digest of what blocks hold together."""
    together = total(held)
    return Digest(together.n_row, together.checksum, "binary")


def _measure(connection: sa.Connection, release: str, name: str) -> Digest:
    """Digest of the rows of a table of a release as text."""
    columns = table("ops.data_release_column")
    mine = (columns.c.data_release == release, columns.c.table_name == name)
    query = sa.select(columns.c.column_name).where(*mine).order_by(columns.c.column_index)
    named = ", ".join(f"t.{one}" for one in connection.execute(query).scalars())
    source = f"{release}.{name} AS t"
    if name in SHARED:
        source = f"roman.{name} AS t JOIN {release}.{_BLOCKS} AS b USING (block_id, start_mjd)"
    bits = f"CAST(CAST('x' || left(md5(CAST(ROW({named}) AS text)), 16) AS bit(64)) AS bigint)"
    row = connection.exec_driver_sql(f"SELECT count(*), coalesce(sum({bits}), 0) FROM {source}").one()
    return Digest(int(row[0]), str(row[1]), "text")


def _exists(connection: sa.Connection, release: str, name: str) -> bool:
    """Whether a table of a release, or one that it shares, is there."""
    place = f"roman.{name}" if name in SHARED else f"{release}.{name}"
    query = sa.text("SELECT to_regclass(:place) IS NOT NULL")
    return bool(connection.execute(query, {"place": place}).scalar_one())
