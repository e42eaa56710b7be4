"""Scratch tables of accounts: results that stay in the database, in the schema ``mydb_<account>``.

A table is made in the role of its schema, which can write nowhere else. What it takes is counted before it is
committed, so the quota holds whoever else of a team writes at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from roman_db import session
from roman_db.accounts.account import Account
from roman_db.accounts.admission import check_area
from roman_db.asker import milliseconds
from roman_db.schema.metadata import table
from roman_db.service_failure import BadRequest, Forbidden, NotFound, TooMuch
from roman_db.session import Role

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_PARTY = """
    SELECT a.account_id FROM ops.account AS a
    WHERE a.account_id = :account OR (:is_shared AND a.team_id = :team AND a.tier = :tier)
    ORDER BY a.account_id
"""
_TABLES = sa.text(
    """
    SELECT n.nspname AS schema, c.relname AS name, pg_total_relation_size(c.oid) AS n_byte
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname LIKE 'mydb\\_%' AND c.relkind = 'r'
        AND has_schema_privilege(CAST(:role AS name), n.oid, 'USAGE')
        AND has_table_privilege(CAST(:role AS name), c.oid, 'SELECT')
    ORDER BY n.nspname <> CAST(:role AS name), 1, 2
    """
)


_COLUMNS = sa.text(
    """
    SELECT
        n.nspname AS schema, c.relname AS name, a.attname AS column_name, format_type(a.atttypid, -1) AS type,
        col_description(c.oid, a.attnum) AS comment
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname LIKE 'mydb\\_%' AND c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NOT NULL
        AND has_schema_privilege(CAST(:role AS name), n.oid, 'USAGE')
        AND has_table_privilege(CAST(:role AS name), c.oid, 'SELECT')
    ORDER BY 1, 2, a.attnum
    """
)


@dataclass(frozen=True)
class Saved:
    """A scratch table that was made: its rows, its bytes on disk, and its area of the sky (deg2) if known."""

    n_row: int
    n_byte: int
    sky_area: float | None = None


def save_query(
    account: Account,
    name: str,
    sql: str,
    comments: Mapping[str, str] | None = None,
    area: str | None = None,
) -> Saved:
    """Keep the result of a query as a scratch table.

    Parameters
    ----------
    account
        Whose table it becomes.
    name
        Of the table: small letters, digits and _, a letter first.
    sql
        One SELECT in SQL, as the translator of ADQL makes it.
    comments
        What is kept beside columns of the table, by their names.
    area
        SQL of the area of the sky, deg2, of which the rows of the table tell; None where they do not.

    Raises
    ------
    BadRequest
        If the name is none or taken.
    TooMuch
        If it would be more rows, bytes or sky than the account, or its team, may have.
    sqlalchemy.exc.DBAPIError
        If the server cannot carry it out, or not in the time of a job.
    """
    _check(account, name)
    with session.transaction(Role.OWNER) as connection:
        saved = _made(connection, account, name, sql, area)
        _comment(connection, f'"{account.scratch_schema}"."{name}"', comments or {})
    return saved


def scratch_tables(account: Account) -> list[dict[str, Any]]:
    """Scratch tables that an account may read, its own first: ``schema``, ``name`` and ``n_byte``."""
    with session.transaction(Role.OWNER) as connection:
        if not _has_role(connection, account):
            return []
        values = {"role": account.scratch_schema}
        return [dict(row) for row in connection.execute(_TABLES, values).mappings()]


def scratch_columns(account: Account) -> list[dict[str, Any]]:
    """Columns with comments of the tables that an account may read, in their order, by table.

    A row has ``schema``, ``name``, ``column_name``, ``type`` (PostgreSQL's) and ``comment``.
    """
    with session.transaction(Role.OWNER) as connection:
        if not _has_role(connection, account):
            return []
        values = {"role": account.scratch_schema}
        return [dict(row) for row in connection.execute(_COLUMNS, values).mappings()]


def scratch_bytes(account: Account) -> int:
    """Bytes of the scratch tables that count against the account's quota, its team's where that is shared."""
    with session.transaction(Role.OWNER) as connection:
        return _bytes(connection, account)


def drop_table(account: Account, name: str) -> None:
    """Remove a scratch table of the account.

    Raises
    ------
    NotFound
        If it has none of that name.
    """
    if name not in {
        one["name"] for one in scratch_tables(account) if one["schema"] == account.scratch_schema
    }:
        raise NotFound(f"{account.scratch_schema} has no table {name[:63]!r}")
    with session.transaction(Role.OWNER) as connection:
        _assume(connection, account)
        connection.exec_driver_sql(f'DROP TABLE "{account.scratch_schema}"."{name}"')


def _has_role(connection: sa.Connection, account: Account) -> bool:
    """Whether the account has ever had scratch tables, or a team that shares them."""
    exists = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    return connection.execute(exists, {"role": account.scratch_schema}).first() is not None


def _comment(connection: sa.Connection, table_name: str, comments: Mapping[str, str]) -> None:
    """Keep words beside columns of a table."""
    quoted = connection.dialect.identifier_preparer.quote_identifier
    for column, words in comments.items():
        name = quoted(column).replace("%", "%%")
        connection.exec_driver_sql(f"COMMENT ON COLUMN {table_name}.{name} IS %s", (words,))


def _check(account: Account, name: str) -> None:
    """Raise where the account may have no scratch tables, or none of that name."""
    if account.is_anonymous:
        raise Forbidden("scratch tables take an account: sign in first")
    if _NAME.fullmatch(name) is None:
        raise BadRequest(f"a table's name has small letters, digits and _, a letter first, got {name[:70]!r}")


def _made(connection: sa.Connection, account: Account, name: str, sql: str, area: str | None) -> Saved:
    """Make the table, unless it is too much; whoever raises undoes it."""
    connection.execute(sa.text("SELECT ops.open_scratch(:account)"), {"account": account.account_id})
    _check_bytes(_bytes(connection, account), account, 0)
    most = account.limits.rows
    _assume(connection, account)
    create = (
        f'CREATE TABLE "{account.scratch_schema}"."{name}" AS SELECT * FROM ({sql}) AS q LIMIT {most + 1}'
    )
    try:
        n_row = connection.exec_driver_sql(create, execution_options={"no_parameters": True}).rowcount
    except sa.exc.ProgrammingError as error:
        if "already exists" in str(error.orig):
            raise BadRequest(f"{account.scratch_schema} has a table {name!r}: drop it first") from error
        raise
    if n_row > most:
        raise TooMuch(f"the query has more than the {most:,} rows that a table of yours may have")
    sky_area = _area(connection, account, name, area)
    connection.exec_driver_sql("SET LOCAL ROLE NONE")
    # From here on one after the other, so that each sees what the others have committed.
    accounts = table("ops.account")
    party = sa.select(1).where(accounts.c.account_id.in_(_party(connection, account)))
    connection.execute(party.order_by(accounts.c.account_id).with_for_update(key_share=True))
    total = _bytes(connection, account)
    size = connection.execute(
        sa.text("SELECT pg_total_relation_size(CAST(:name AS regclass))"),
        {"name": f'"{account.scratch_schema}"."{name}"'},
    ).scalar_one()
    _check_bytes(total, account, 1)
    return Saved(n_row, size, sky_area)


def _area(connection: sa.Connection, account: Account, name: str, area: str | None) -> float | None:
    """Area of the sky of a new table, which raises where it is more than the account may process."""
    if area is None:
        return None
    query = f'SELECT {area} FROM "{account.scratch_schema}"."{name}"'
    options = {"no_parameters": True}
    found = float(connection.exec_driver_sql(query, execution_options=options).scalar_one())
    check_area(account, found)
    return found


def _check_bytes(total: int, account: Account, margin: int) -> None:
    """Raise where the scratch tables reach the quota, or exceed it (margin 1)."""
    if total >= account.limits.scratch_bytes + margin:
        whose = "your team's" if account.shares_limits else "your"
        raise TooMuch(
            f"{whose} scratch tables would take {total:,} of {account.limits.scratch_bytes:,} bytes: "
            "drop some, or ask for more"
        )


def _party(connection: sa.Connection, account: Account) -> list[int]:
    """Accounts whose scratch tables count together."""
    values = {
        "account": account.account_id,
        "is_shared": account.is_shared,
        "team": account.team_id,
        "tier": account.tier,
    }
    return list(connection.execute(sa.text(_PARTY), values).scalars())


def _bytes(connection: sa.Connection, account: Account) -> int:
    """Bytes of the scratch tables of the party of an account."""
    query = sa.text("SELECT ops.scratch_bytes(CAST(:accounts AS bigint[]))")
    return int(connection.execute(query, {"accounts": _party(connection, account)}).scalar_one())


def _assume(connection: sa.Connection, account: Account) -> None:
    """Act as the owner of the scratch schema, within the limits of a job, until the transaction ends."""
    limit = milliseconds(account.limits.seconds_async)
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
    connection.exec_driver_sql(f"SET LOCAL work_mem = '{account.work_bytes // 1024}kB'")
    connection.execute(sa.text("SELECT ops.take_temporary_room(:tier, true)"), {"tier": account.tier})
    connection.exec_driver_sql(f'SET LOCAL ROLE "{account.scratch_schema}"')
