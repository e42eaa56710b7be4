"""Connections to the database: the only place that opens one."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from psycopg2.extensions import make_dsn

from roman_db.asker import assume, assume_here, current_asker, milliseconds
from roman_db.cluster import configuration
from roman_db.cluster.lifecycle import ensure_running
from roman_db.reader_login import admit_reader, wait_for_login
from roman_db.settings import settings

_OPTIONS = "-c timezone=UTC -c jit=off"
#: Signs that neither side answered after which a connection over TCP is closed, with its locks.
_UNANSWERED = 4
#: A reader's login has limits for people who connect by themselves; our own commands set theirs.
_READER_OPTIONS = f"{_OPTIONS} -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
#: A query that has nothing to send yet is ended all the same when whoever asked it has died.
_READING = "-c default_transaction_read_only=on -c client_connection_check_interval=2s"

_IDENTITY = sa.text(
    """
    SELECT oid, pg_postmaster_start_time(), pg_is_in_recovery()
    FROM pg_database WHERE datname = current_database()
    """
)
# One row if there is the role: its temp_file_limit, which a superuser alone can take on.
_ROOM = """
SELECT (
    SELECT split_part(chosen, '=', 2) FROM pg_db_role_setting AS stored, unnest(stored.setconfig) AS chosen
    WHERE stored.setrole = role.oid AND stored.setdatabase = 0 AND chosen LIKE 'temp_file_limit=%'
        AND current_setting('is_superuser') = 'on'
)
FROM pg_roles AS role WHERE role.rolname = $1
"""
_KNOWN_ROLE = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
#: Connections that a pool makes when its own are taken, beside those of who holds a place of queries.
_OVERFLOW = 10
#: Where a connection keeps the roles that its server has.
_KNOWN = "roman_db.roles"


class OtherDatabase(RuntimeError):
    """Readers and writers are sent to different databases."""


class Role(enum.StrEnum):
    """On whose behalf a connection acts; the roles are those of ``schema/postgres/60_roles.sql``."""

    OWNER = "roman_owner"
    LOADER = "roman_loader"
    ACCOUNTS = "roman_accounts"
    READER = configuration.READER


@functools.cache
def engine() -> sa.Engine:
    """Return the engine of the configured server, or of the private one, which is started if need be."""
    return make_engine(database_url())


@functools.cache
def reader_engine() -> sa.Engine:
    """Return the engine on which people's queries run.

    It logs in as somebody who may only read: as ``ROMAN_DB_READER_URL`` says, on the private server as
    ``roman_reader``. A server that ``ROMAN_DB_URL`` names without such a login is read on the owner's engine,
    in the role of the reader, which `reading` and `arrow_connection` take on.
    """
    chosen = settings()
    if chosen.reader_url is not None:
        return make_engine(_for_psycopg2(chosen.reader_url), _READER_OPTIONS)
    return _private_reader_engine() if chosen.url is None else engine()


def disconnect() -> None:
    """Close the connections of this process; the next one goes to the server that the settings name then."""
    for made in (reader_engine, engine):
        if made.cache_info().currsize:
            made().dispose()
        made.cache_clear()


def check_reader() -> None:
    """Check that ``ROMAN_DB_READER_URL``, if set, is the database of ``ROMAN_DB_URL``; loaders rely on it.

    Raises
    ------
    OtherDatabase
        If it is another, or a standby, which may be behind.
    """
    if settings().reader_url is None:
        return
    with engine().connect() as owner, reader_engine().connect() as reader:
        if owner.execute(_IDENTITY).one() != reader.execute(_IDENTITY).one():
            raise OtherDatabase(
                "ROMAN_DB_READER_URL is not the database of ROMAN_DB_URL, where loaders read what they have "
                "written: name the same server and database"
            )


def database_url() -> sa.URL:
    """Return the address of the database as its owner."""
    configured = settings().url
    if configured is not None:
        return _for_psycopg2(configured)
    return _for_psycopg2(ensure_running(settings())).set(database="roman")


def libpq_address(schema: str, role: Role = Role.LOADER) -> str:
    """Address of the database for libpq, for libraries that make connections of their own.

    Parameters
    ----------
    schema
        Where names without a schema are looked up.
    role
        Role in which they act; where the server does not have it, the connections keep their own.
    """
    options = f"{_OPTIONS} -c search_path={schema}"
    with engine().connect() as connection:
        if connection.execute(_KNOWN_ROLE, {"role": role.value}).first() is not None:
            options += f" -c role={role}"
    idle_s, _ = _signs()
    given_up = {"tcp_user_timeout": 1000 * _UNANSWERED * idle_s}  # of what was sent and not received
    return str(make_dsn(**given_up | _address(database_url(), options)))


def make_engine(url: sa.URL, options: str = _OPTIONS) -> sa.Engine:
    """Make an engine with the settings that every connection of ours has."""
    arguments = _arguments(url, options)
    most = _OVERFLOW + settings().tap_connections
    return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, max_overflow=most)


@contextmanager
def transaction(role: Role = Role.LOADER) -> Iterator[sa.Connection]:
    """One transaction as a role: committed at the end, rolled back by an exception.

    Where the server has no such role, the connection keeps its own.
    """
    with engine().begin() as connection:
        _assume(connection, role)
        yield connection


@contextmanager
def reading(role: Role = Role.READER, snapshot: str | None = None) -> Iterator[sa.Connection]:
    """One read-only transaction that sees a single state of the database.

    As the reader it is in the role and within the limits of who asks (`roman_db.asker`), if somebody does.

    Parameters
    ----------
    role
        Whose rights it has.
    snapshot
        State that another transaction exported (``pg_export_snapshot``) and still sees; None for that of now.
    """
    with _engine_of(role).connect() as connection:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with connection.execution_options(**options).begin():
            if snapshot is not None:
                connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            if not _is_login(role):
                _assume(connection, role)
            if role is Role.READER and (asker := current_asker()) is not None:
                assume_here(connection, asker)
            yield connection


@contextmanager
def arrow_connection(
    role: Role = Role.READER,
    timeout_s: float = 0,
    memory_mb: int | None = None,
    prepare: Callable[[dbapi.Connection], None] | None = None,
) -> Iterator[dbapi.Connection]:
    """Connection whose results come as Arrow batches; each statement on it is a read-only transaction.

    As the reader it is in the role and within the limits of who asks (`roman_db.asker`), if somebody does.

    Parameters
    ----------
    timeout_s
        Seconds after which the server ends a statement; 0 for never.
    memory_mb
        Memory in MiB of each sort or hash of a statement (work_mem); None for what the server has.
    prepare
        What is done first, in the role of loaders and while the connection may write: temporary tables.
    """
    is_login = _is_login(role) and prepare is None
    url = reader_engine().url if is_login else database_url()
    limits = f"{_READING} -c statement_timeout={milliseconds(timeout_s)} {_service_option()}"
    if memory_mb is not None:
        limits += f" -c work_mem={memory_mb}MB"
    address = make_dsn(**_address(url, f"{_OPTIONS} {limits}"))
    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        if prepare is not None:
            _prepare(connection, cursor, prepare)
        if not is_login:
            _take_on(cursor, role)
        if role is Role.READER and (asker := current_asker()) is not None:
            assume(connection, asker)
        yield connection


def ingest(schema: str, name: str, rows: pa.RecordBatchReader, role: Role = Role.LOADER) -> int:
    """Append rows to a table whose columns have their names, in one transaction, and return how many."""
    address = make_dsn(**_address(database_url(), _OPTIONS))
    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        _take_on(cursor, role)
        n_row = cursor.adbc_ingest(name, rows, mode="append", db_schema_name=schema)
        connection.commit()
    return int(n_row)


def restore(connection: dbapi.Connection, role: Role = Role.READER) -> None:
    """Give a connection of `arrow_connection` back the role and limits that it began with."""
    with connection.cursor() as cursor:
        for setting in ("ROLE", "statement_timeout", "work_mem"):
            cursor.execute(f"RESET {setting}")
        cursor.execute("SELECT ops.take_temporary_room(NULL)")
        cursor.fetchone()
        if not _is_login(role):
            _take_on(cursor, role)


def _address(url: sa.URL, options: str) -> dict[str, Any]:
    """Address for libpq, with the settings that every connection of ours has."""
    account = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    return account | _arguments(url, options)


def _arguments(url: sa.URL, options: str) -> dict[str, Any]:
    """Settings of a connection: over TCP each side notices in time that the other is out of reach.

    Unless the address says otherwise. Without them a server keeps the session of a host that was cut off, and
    its locks, for two hours.
    """
    idle_s, interval_s = _signs()
    signs = {"idle": idle_s, "interval": interval_s, "count": _UNANSWERED}
    mine = {f"keepalives_{name}": value for name, value in signs.items()}
    theirs = " ".join(f"-c tcp_keepalives_{name}={value}" for name, value in signs.items())
    arguments = {"application_name": "roman-db", "options": f"{options} {theirs}"} | mine
    return arguments | {name: url.query[name] for name in mine if name in url.query}


def _signs() -> tuple[int, int]:
    """Whole seconds of silence before a sign of life is asked for, and between two of them."""
    silent_s = settings().worker_silent_s
    return max(1, round(silent_s / _UNANSWERED)), max(1, round(silent_s / (2 * _UNANSWERED)))


def _service_option() -> str:
    """Address of the services, which ``ivoa.obscore`` puts before what it names; none where it is not set."""
    url = (settings().tap_url or "").rstrip("/").replace("\\", "\\\\").replace(" ", "\\ ")
    return f"-c roman_db.service_url={url}" if url else ""


def _prepare(
    connection: dbapi.Connection, cursor: dbapi.Cursor, prepare: Callable[[dbapi.Connection], None]
) -> None:
    """Let something be written before the connection reads alone."""
    cursor.execute("SET default_transaction_read_only = off")
    _take_on(cursor, Role.LOADER)
    prepare(connection)
    cursor.execute("RESET ROLE")
    cursor.execute("SET default_transaction_read_only = on")


def prepare_again(
    connection: dbapi.Connection,
    prepare: Callable[[dbapi.Connection], None],
    timeout_s: float,
    memory_mb: int,
    role: Role = Role.READER,
) -> None:
    """Do on a connection of `arrow_connection` that was prepared before what is done first on a new one."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f"SET statement_timeout = {milliseconds(timeout_s)}")
        cursor.execute(f"SET work_mem = '{memory_mb}MB'")
        _prepare(connection, cursor, prepare)
        _take_on(cursor, role)


def _take_on(cursor: dbapi.Cursor, role: Role) -> None:
    """Act as a role from now on, with the room on disk that who logs in as it has; not if there is none."""
    cursor.execute(_ROOM, (role,))
    if (room := cursor.fetchone()) is None:
        return
    if room[0] is not None:
        cursor.execute(f"SET temp_file_limit = '{room[0]}'")
    cursor.execute(f"SET ROLE {role}")


def _engine_of(role: Role) -> sa.Engine:
    """Engine for reading as a role."""
    return reader_engine() if role is Role.READER else engine()


def _is_login(role: Role) -> bool:
    """Whether the connections for reading as a role are its own, so that it need not be taken on."""
    return role is Role.READER and reader_engine() is not engine()


def _assume(connection: sa.Connection, role: Role) -> None:
    """Act as a role until the transaction ends."""
    if role is Role.OWNER:
        return
    known = connection.info.setdefault(_KNOWN, set())  # of this connection to the server
    if role not in known and connection.execute(_KNOWN_ROLE, {"role": role.value}).first() is not None:
        known.add(role)
    if role in known:
        connection.exec_driver_sql(f"SET LOCAL ROLE {role}")


def _private_reader_engine() -> sa.Engine:
    """Engine of the private server's reader, who is let in first where an earlier release did not."""
    made = make_engine(database_url().set(username=Role.READER), _READER_OPTIONS)
    try:
        made.connect().close()
    except sa.exc.OperationalError:
        admit_reader(engine(), settings())
        wait_for_login(made)
    return made


def _for_psycopg2(url: str) -> sa.URL:
    """Address with the name of our driver."""
    return sa.make_url(url).set(drivername="postgresql+psycopg2")
