"""Connections to the database: the only place that opens one."""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from psycopg2.extensions import make_dsn

from roman_db.cluster.lifecycle import ensure_running
from roman_db.settings import settings

_OPTIONS = "-c timezone=UTC -c jit=off"


class Role(enum.StrEnum):
    """On whose behalf a connection acts; the roles are those of ``schema/postgres/60_roles.sql``."""

    OWNER = "roman_owner"
    LOADER = "roman_loader"
    READER = "roman_reader"


@functools.cache
def engine() -> sa.Engine:
    """Return the engine of the configured server, or of the private one, which is started if need be."""
    return make_engine(database_url())


def database_url() -> sa.URL:
    """Return the address of the database as its owner."""
    configured = settings().url
    if configured is not None:
        return sa.make_url(configured).set(drivername="postgresql+psycopg2")
    return sa.make_url(ensure_running(settings())).set(drivername="postgresql+psycopg2", database="roman")


def make_engine(url: sa.URL) -> sa.Engine:
    """Make an engine with the settings that every connection of ours has."""
    arguments = {"application_name": "roman-db", "options": _OPTIONS}
    return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True)


@contextmanager
def transaction(role: Role = Role.LOADER) -> Iterator[sa.Connection]:
    """One transaction as a role: committed at the end, rolled back by an exception.

    Where the server has no such role, the connection keeps its own.
    """
    with engine().begin() as connection:
        _assume(connection, role)
        yield connection


@contextmanager
def reading(role: Role = Role.READER) -> Iterator[sa.Connection]:
    """One read-only transaction that sees a single state of the database."""
    with engine().connect() as connection:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with connection.execution_options(**options).begin():
            _assume(connection, role)
            yield connection


@contextmanager
def arrow_connection(role: Role = Role.READER, timeout_s: float = 0) -> Iterator[dbapi.Connection]:
    """Connection whose results come as Arrow batches; each statement on it is a read-only transaction.

    Parameters
    ----------
    timeout_s
        Seconds after which the server ends a statement; 0 for never.
    """
    url = database_url()
    account = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    limits = f"-c default_transaction_read_only=on -c statement_timeout={round(timeout_s * 1000)}"
    address = make_dsn(**account | {"application_name": "roman-db", "options": f"{_OPTIONS} {limits}"})
    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = $1", (role,))
        yield connection


def _assume(connection: sa.Connection, role: Role) -> None:
    """Act as a role until the transaction ends."""
    if role is Role.OWNER:
        return
    statement = "SELECT set_config('role', rolname, true) FROM pg_roles WHERE rolname = :role"
    connection.execute(sa.text(statement), {"role": role.value})
