"""Servers made shards, and shards given up."""

from __future__ import annotations

import re

import sqlalchemy as sa

from roman_db import session
from roman_db.locks import held
from roman_db.query.error import QueryError
from roman_db.resources import folder
from roman_db.session import Role
from roman_db.shards import storage

#: The lock of whoever changes shards.
LOCK = "shards"
_NAME = re.compile("[a-z][a-z0-9_]{0,30}", re.ASCII)
_IDENTITY = sa.text("SELECT format('%s/%s', system_identifier, current_database()) FROM pg_control_system()")
_WITHOUT_KEY = sa.text("SELECT ops.light_curve_leaves_without_key()")
_MARK = "Light curves of the database"
_IS_MARKED = sa.text("SELECT obj_description(to_regnamespace('roman_partition'), 'pg_namespace')")


def add(shard: str, url: str) -> None:
    """Make a database of another server a shard, which has no objects yet.

    Raises
    ------
    QueryError
        If the name or the database will not do, or another shard has the name.
    """
    if _NAME.fullmatch(shard) is None or shard == "here":
        raise QueryError(
            f"{shard!r} is no name of a shard: small letters, digits and _, such as south; 'here' is this "
            "server"
        )
    address = _address(url)
    with held(LOCK):
        with session.transaction(Role.OWNER) as connection:
            if shard in (one["shard"] for one in storage.list_shards(connection)):
                raise QueryError(f"there is a shard {shard} already: roman-db shards list")
            mark = f"{_MARK} {connection.execute(_IDENTITY).scalar_one()}, shard {shard}"
            statements = storage.template_statements(connection)
        _prepare(address, mark, statements)
        _give_leaves_keys()
        with session.transaction(Role.OWNER) as connection:
            connection.execute(sa.select(sa.func.ops.allow_shards()))
            storage.create_server(connection, shard, address)
            _plan_by_shards(connection)


def remove(shard: str) -> None:
    """Forget a shard without objects; its database stays as it is.

    Raises
    ------
    QueryError
        If there is none of that name, or it has light curves.
    """
    with held(LOCK), session.transaction(Role.OWNER) as connection:
        storage.drop_server(connection, shard)


def _address(url: str) -> sa.URL:
    """Address of a shard.

    Raises
    ------
    QueryError
        If it names no database.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        address = None
    if address is None or not address.drivername.startswith("postgresql") or address.database is None:
        raise QueryError("a shard's URL is postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return address.set(drivername="postgresql+psycopg2")


def _prepare(address: sa.URL, mark: str, statements: list[str]) -> None:
    """Give an empty database what a shard has; one that this command prepared before is left as it is.

    Raises
    ------
    QueryError
        If it is not empty.
    """
    engine = session.make_engine(address)
    try:
        with engine.begin() as connection:
            found = connection.execute(_IS_MARKED).scalar_one()
            has_schema = sa.inspect(connection).has_schema("roman_partition")
            if has_schema and found != mark:
                raise QueryError(
                    f"the database {address.database} has light curves of its own or of others "
                    f"({found or 'no mark'}): name an empty one"
                )
            for name in ("roman", "roman_partition"):
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {name}")
            comment = f"COMMENT ON SCHEMA roman_partition IS {storage.quoted(mark)}"
            parts = (folder("schema") / "shard" / "shard.sql").read_text()
            for statement in (comment, *statements, parts):
                connection.exec_driver_sql(statement.replace("%", "%%"))
    except sa.exc.OperationalError as error:
        raise QueryError(f"the shard at {address.host} cannot be prepared: {error.orig}") from error
    finally:
        engine.dispose()


def _give_leaves_keys() -> None:
    """Give each leaf a key of its own, in a transaction each: writers wait for one at a time."""
    with session.transaction(Role.OWNER) as connection:
        missing = connection.execute(_WITHOUT_KEY).scalars().all()
    for leaf in missing:
        with session.transaction(Role.OWNER) as connection:
            connection.execute(sa.select(sa.func.ops.add_light_curve_key(leaf)))


def _plan_by_shards(connection: sa.Connection) -> None:
    """Have the server plan groups by partition, so that shards count what they have themselves."""
    name = connection.execute(sa.text("SELECT current_database()")).scalar_one()
    connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET enable_partitionwise_aggregate = on')
