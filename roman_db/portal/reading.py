"""Queries of the portal: files of ``queries/portal``, each in a read-only transaction with a time limit.

They run in the role and within the limits of who asks, if that is known (`roman_db.asker`). Tiers read
nothing of the operations: a file that tells of those runs as the reader.
"""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

import pyarrow as pa
from adbc_driver_manager import dbapi

from roman_db import session, sqlfile
from roman_db.asker import Asker, asked_by, assume, current_asker, milliseconds
from roman_db.service_failure import Lost
from roman_db.tap.server_words import from_server

#: Seconds that a page waits for one query.
TIMEOUT_S = 20.0

#: Connections for arrays that are kept.
_MOST_KEPT = 8


def rows(name: str, /, **values: object) -> list[dict[str, Any]]:
    """Rows of a file of ``queries/portal`` by the names of its columns.

    Parameters
    ----------
    name
        Name of the file without its suffix.
    values
        Values of its parameters; arrays as `array` writes them.
    """
    file = _file(name)
    asker = None if file.reads_operations else current_asker()
    limit = milliseconds(TIMEOUT_S if asker is None else min(TIMEOUT_S, asker.seconds))
    with asked_by(asker), session.reading() as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
        found = [dict(row) for row in sqlfile.run(connection, file, values).mappings()]
    _count(len(found))
    return found


def row(name: str, /, **values: object) -> dict[str, Any] | None:
    """The first row of a file, None where there is none; as `rows`."""
    found = rows(name, **values)
    return found[0] if found else None


def arrays(name: str, /, **values: object) -> pa.Table:
    """Rows of a file as an Arrow table, for columns that are arrays; as `rows`."""
    statement = _file(name).bind(values)
    try:
        kept = _kept.pop()
    except IndexError:
        return _asked(_Connected(), statement)
    try:
        return _asked(kept, statement)
    except dbapi.Error as error:
        if not isinstance(from_server(str(error), TIMEOUT_S), Lost):
            raise
        # The server has gone since.
        return _asked(_Connected(), statement)


def array(values: Iterable[object]) -> str:
    """Numbers as PostgreSQL writes an array."""
    return "{" + ",".join(str(value) for value in values) + "}"


class _Connected:
    """An open connection, kept for the next question: to make one takes longer than most answers."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        #: For whom it reads.
        self._asker = current_asker()
        self.connection = self._stack.enter_context(session.arrow_connection(timeout_s=TIMEOUT_S))

    def ask_for(self, asker: Asker | None) -> None:
        """Read for somebody else."""
        if asker == self._asker:
            return
        if asker is None:
            session.restore(self.connection)
        else:
            assume(self.connection, asker)
        self._asker = asker

    def close(self) -> None:
        """Close it, in whatever state it is."""
        with suppress(dbapi.Error, OSError):
            self._stack.close()


_kept: deque[_Connected] = deque()


@atexit.register
def forget() -> None:
    """Close the connections that are kept."""
    while _kept:
        _kept.pop().close()


def _asked(connected: _Connected, statement: str) -> pa.Table:
    """Answer to a statement on a connection, which is kept unless it failed."""
    try:
        connected.ask_for(current_asker())
        with connected.connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetch_arrow_table()
    except BaseException:
        connected.close()
        raise
    _count(found.num_rows)
    if len(_kept) < _MOST_KEPT:
        _kept.append(connected)
    else:
        connected.close()
    return found


class RowCount(Protocol):
    """What counts rows."""

    n_row: int


_counting: ContextVar[RowCount | None] = ContextVar("counting", default=None)


@contextmanager
def count_rows_in(count: RowCount) -> Iterator[None]:
    """Count the rows that queries of this context give, in whatever thread they are asked."""
    token = _counting.set(count)
    try:
        yield
    finally:
        _counting.reset(token)


def _count(n_row: int) -> None:
    """Add rows where somebody counts them."""
    if (count := _counting.get()) is not None:
        count.n_row += n_row


@cache
def _file(name: str) -> sqlfile.SqlFile:
    return sqlfile.find("portal", name)
