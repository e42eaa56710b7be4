"""What goes wrong when people query, said in a way that helps them."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator

import adbc_driver_manager
import click
import psycopg2
import sqlalchemy as sa

from roman_db import session
from roman_db.settings import settings

NO_TABLES = "the database has no tables yet: `roman-db upgrade` makes them"

#: What the driver puts before and after the server's own words.
_DRIVER_PREFIX = re.compile(r"^.*?(?:ERROR|FATAL): +", re.DOTALL)
_DRIVER_SUFFIX = re.compile(r"\s*(?:Query was: .*)?\.? ?(?:SQLSTATE: \w+)?$", re.DOTALL)
_TIMEOUT = "canceling statement due to statement timeout"
_READ_ONLY = "in a read-only transaction"
_TEMPORARY = "temporary file size exceeds temp_file_limit"
#: What is said of tables that are not there; in a database without a schema that is true of all of them.
_MISSING = re.compile(r'(?:relation|schema) "[^"]*" does not exist')
#: Words of postgres_fdw where a shard is not there, or goes away in the middle of a query.
_NO_SHARD = re.compile(r'could not connect to server "shard_([a-z0-9_]+)"')
_SHARD_LOST = re.compile("server closed the connection|terminating connection|no connection to the server")
_REMOTE = re.compile(r"remote SQL command:|SQLSTATE: 08006|server conn crashed")
#: Words of libpq where there is no server, and of a server that does not let us in.
_UNREACHABLE = re.compile("connection to server |could not translate host name|server closed the connection")
_MISWRITTEN = re.compile("invalid (?:dsn|URI|connection option|(?:integer )?value for|[a-z_]+ value)")
_REFUSED = re.compile('authentication failed|no password supplied|^role "[^"]*" does not exist|pg_hba.conf')
_REMEDIES = (
    (_REFUSED, "correct the user and the password in it, or put the password into ~/.pgpass"),
    (_MISWRITTEN, "correct what stands after the ? in it"),
    (
        _UNREACHABLE,
        "start it, or correct host and port; without ROMAN_DB_URL roman-db uses a private server",
    ),
)


class QueryError(Exception):
    """A query that cannot be answered; the message is for the person who asked."""


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn what went wrong into a message for the user and the exit code 1."""
    try:
        yield
    except QueryError as error:
        raise click.ClickException(_advised(str(error))) from error
    except sa.exc.DBAPIError as error:
        raise click.ClickException(_advised(explained(str(error.orig)))) from error
    except (psycopg2.Error, adbc_driver_manager.Error) as error:
        raise click.ClickException(_advised(explained(str(error)))) from error
    except BrokenPipeError:
        _close_stdout()


def from_server(error: psycopg2.Error, statement: str, offset: int) -> QueryError:
    """Error of the server about a statement that was sent with ``offset`` characters before it."""
    said = error.diag
    position = int(said.statement_position or 0) - offset
    lines = [explained(said.message_primary or str(error))]
    if 0 < position <= len(statement) + 1:
        lines[0] += _place(statement, position)
        lines += _caret(statement, position)
    lines += [
        f"{word}: {text}"
        for word, text in (("Detail", said.message_detail), ("Hint", said.message_hint))
        if text
    ]
    return QueryError("\n".join(lines))


def explained(message: str) -> str:
    """Words of the server without what the driver adds, and with what to do where we know it."""
    if (missing := shard_missing(message)) is not None:
        return missing
    words = _DRIVER_SUFFIX.sub("", _DRIVER_PREFIX.sub("", message)).strip()
    if _TIMEOUT in words:
        return "the query took longer than allowed: ask for less, or allow more with --timeout"
    if _TEMPORARY in words:
        return f"{words}: ask for less; an administrator may allow readers more (ALTER ROLE)"
    if _READ_ONLY in words:
        return f"{words}: a query reads and changes nothing; loaders write."
    return words


def shard_missing(message: str) -> str | None:
    """What to say where a shard does not answer; None where the server says something else.

    A query that needs a shard which is away is an error, never an answer without the points of that shard.
    """
    found = _NO_SHARD.search(message)
    if found is None and not (_SHARD_LOST.search(message) and _REMOTE.search(message)):
        return None
    which = f"the shard {found[1]}, which" if found else "a shard that"
    return (
        f"some of the light curves asked for are on {which} does not answer: there is no answer rather than "
        "one without them. Ask for objects of other shards, or ask again when it is back"
    )


def _place(statement: str, position: int) -> str:
    """Line and column of a position, both from 1."""
    before = statement[: position - 1]
    return f" (line {before.count(chr(10)) + 1}, column {position - 1 - before.rfind(chr(10))})"


def _caret(statement: str, position: int) -> list[str]:
    """The line of a position with a caret below the place."""
    start = statement.rfind("\n", 0, position - 1) + 1
    line = statement[start:].split("\n", 1)[0]
    column = position - 1 - start
    return [f"  {line}", "  " + "".join("\t" if c == "\t" else " " for c in line[:column]) + "^"]


def _advised(words: str) -> str:
    """Words of the server, with what to do where there is no database, or no server."""
    first = words.splitlines()[0]
    if first.startswith("database") and first.endswith("does not exist"):
        return f"{first}: `roman-db upgrade` makes it"
    if _MISSING.search(first) and not _has_tables():
        return NO_TABLES
    remedy = connection_remedy(words)
    return words if remedy is None else f"{words}\n{remedy}"


def connection_remedy(words: str) -> str | None:
    """What to do where these words say that there is no connection to be had; None where they do not."""
    cause = next((cause for cause, remedy in _REMEDIES if cause.search(words)), None)
    if cause is None:
        return None
    if settings().url is None:
        return "`roman-db cluster status` says how the private server is, server.log in its home why."
    variable = "ROMAN_DB_URL" if settings().reader_url is None else "ROMAN_DB_URL or ROMAN_DB_READER_URL"
    return f"{variable} names this server: {dict(_REMEDIES)[cause]}."


def _has_tables() -> bool:
    """Whether the database was ever upgraded."""
    with session.engine().connect() as connection:
        found = connection.execute(sa.text("SELECT to_regclass('ops.alembic_version')"))
        return found.scalar_one() is not None


def _close_stdout() -> None:
    """Nobody reads on: end quietly, and keep Python from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
