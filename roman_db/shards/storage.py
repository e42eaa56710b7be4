"""Shards as this server knows them: foreign servers, ranges of objects, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from roman_db.query.error import QueryError
from roman_db.schema.metadata import table
from roman_db.shards.ranges import Range

#: How shards are asked: many rows at a time, several at once, and none again and again within one query.
_SERVER_OPTIONS = {
    "fetch_size": "10000",
    "batch_size": "1000",
    "async_capable": "true",
    "fdw_startup_cost": "1000",
    "connect_timeout": "10",
}
#: Names of the options of libpq for the parts of an address, those of the server and of who logs in.
_PLACE, _LOGIN = (
    {"host": "host", "port": "port", "database": "dbname"},
    {"username": "user", "password": "password"},
)
_LISTED = sa.text(
    """
    SELECT substring(s.srvname FROM '^shard_(.*)$') AS shard,
        (
            SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(s.srvoptions) AS o
            WHERE o ~ '^(host|port|dbname)='
        ) AS server,
        coalesce((
            SELECT string_agg(format('%s to %s', from_object_id, to_object_id), ', ' ORDER BY from_object_id)
            FROM ops.shard_range AS r WHERE 'shard_' || r.shard = s.srvname
        ), '') AS objects,
        (SELECT count(*) FROM pg_foreign_table AS f JOIN pg_class AS c ON c.oid = f.ftrelid
            WHERE f.ftserver = s.oid AND c.relispartition) AS n_partition
    FROM pg_foreign_server AS s WHERE s.srvname ~ '^shard_' ORDER BY s.srvname
    """
)


def list_shards(connection: sa.Connection) -> list[dict[str, Any]]:
    """Read the shards: where they are, objects that they are to have, and how many partitions they have."""
    return [dict(row._mapping) for row in connection.execute(_LISTED)]


def check_known(connection: sa.Connection, shard: str) -> None:
    """Make sure that there is a shard of that name.

    Raises
    ------
    QueryError
        If there is none.
    """
    known = [one["shard"] for one in list_shards(connection)]
    if shard not in known:
        raise QueryError(
            f"there is no shard {shard!r}: there are {', '.join(known) or 'none'} (roman-db shards add)"
        )


def stored_ranges(connection: sa.Connection) -> list[Range]:
    """Read the ranges of objects that are, or are to be, on shards."""
    rows = table("ops.shard_range")
    query = sa.select(rows.c.from_object_id, rows.c.to_object_id, rows.c.shard).order_by(
        rows.c.from_object_id
    )
    return [Range(*row) for row in connection.execute(query)]


def store_ranges(connection: sa.Connection, ranges: Sequence[Range]) -> None:
    """Have these ranges in place of those that are stored."""
    rows = table("ops.shard_range")
    connection.execute(rows.delete())
    if ranges:
        connection.execute(rows.insert(), [asdict(one) for one in ranges])


def create_server(connection: sa.Connection, shard: str, url: sa.URL) -> None:
    """Make the foreign server of a shard, with a login for whoever may read or write the tables here."""
    parts = url.translate_connect_args()
    place = {_PLACE[name]: value for name, value in parts.items() if name in _PLACE} | dict(url.query)
    login = {_LOGIN[name]: value for name, value in parts.items() if name in _LOGIN}
    if "password" not in login:
        login["password_required"] = (
            "false"  # who logs in by the network or the account; a superuser may allow it
        )
    name = f"shard_{shard}"
    for statement in (
        "CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA ops",
        f"CREATE SERVER {name} FOREIGN DATA WRAPPER postgres_fdw "
        f"OPTIONS ({_options(place | _SERVER_OPTIONS)})",
        f"CREATE USER MAPPING FOR PUBLIC SERVER {name} OPTIONS ({_options(login)})",
        f"GRANT USAGE ON FOREIGN SERVER {name} TO roman_owner",
        _foreign_table(
            f"{name}_request", "partition text, table_name text, is_wanted boolean", name, "shard_request"
        ),
        _foreign_table(f"{name}_partition", "partition text, size_bytes bigint", name, "shard_partition"),
    ):
        connection.exec_driver_sql(statement.replace("%", "%%"))
    for end in ("request", "partition"):
        connection.exec_driver_sql(f"ALTER FOREIGN TABLE roman_partition.{name}_{end} OWNER TO roman_owner")


def drop_server(connection: sa.Connection, shard: str) -> None:
    """Forget a shard that has no partition.

    Raises
    ------
    QueryError
        If it is to have objects, or has partitions.
    """
    check_known(connection, shard)
    (one,) = (row for row in list_shards(connection) if row["shard"] == shard)
    if one["objects"] or one["n_partition"]:
        raise QueryError(
            f"shard {shard} has light curves ({one['n_partition']} partitions): move its objects before, "
            f"here or to others ({one['objects'] or 'all'}), by roman-db shards move"
        )
    connection.exec_driver_sql(f"DROP SERVER shard_{shard} CASCADE")


def template_statements(connection: sa.Connection) -> list[str]:
    """Statements that make an empty table like each of the light-curve tables, as they are here now."""
    columns = sa.text(
        """
        SELECT c.relname AS name, string_agg(
                format('%I %s %s', a.attname, format_type(a.atttypid, a.atttypmod),
                       CASE WHEN a.attnotnull THEN 'NOT NULL' END), ', ' ORDER BY a.attnum) AS columns,
            array_agg(a.attname::text) FILTER (WHERE a.attstorage = 'e') AS external
        FROM unnest(ops.light_curve_tables()) AS t (name)
        JOIN pg_class AS c ON c.oid = ('roman.' || t.name)::regclass
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        GROUP BY c.relname
        """
    )
    statements = []
    for row in connection.execute(columns):
        key = "PRIMARY KEY (object_id, start_mjd, block_id)"
        statements.append(f"CREATE TABLE IF NOT EXISTS roman.{row.name} ({row.columns}, {key})")
        statements += [
            f"ALTER TABLE roman.{row.name} ALTER COLUMN {one} SET STORAGE EXTERNAL"
            for one in row.external or ()
        ]
    return statements


def _foreign_table(name: str, columns: str, server: str, remote: str) -> str:
    """Statement that makes a foreign table for one of what a shard has beside its partitions."""
    options = _options({"schema_name": "roman_partition", "table_name": remote})
    return f"CREATE FOREIGN TABLE roman_partition.{name} ({columns}) SERVER {server} OPTIONS ({options})"


def _options(options: dict[str, Any]) -> str:
    """Options as SQL has them."""
    return ", ".join(f"{name} {quoted(str(value))}" for name, value in options.items())


def quoted(text: str) -> str:
    """A text as SQL has it, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"
