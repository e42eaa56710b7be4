"""One query from its start to its last row."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Generator, Iterator

import pyarrow as pa
import structlog
from adbc_driver_manager import dbapi

from roman_db.service_failure import Failure, TooMuch
from roman_db.tap.adql import Translation
from roman_db.tap.answer_area import AnswerArea
from roman_db.tap.answer_rows import Answer, conformed, schema_of
from roman_db.tap.connections import Held
from roman_db.tap.server_words import from_server

#: Bytes of rows, as PostgreSQL sends them, that are in memory at a time.
_BLOCK_BYTES = 2**20
_BATCH_HINT = {"adbc.postgresql.batch_size_hint_bytes": str(_BLOCK_BYTES)}
#: Areas are counted to a percent.
_TOLERANCE = 1.03
#: Makes rows of a batch that the server gives.
Expand = Callable[[pa.RecordBatch], pa.RecordBatch]
_log = structlog.get_logger()


class RunningQuery:
    """A query on a connection.

    Parameters
    ----------
    held
        Connection; spoiled for others if the query fails or is cancelled.
    translation
        The query.
    rows
        Most rows to give; one more is asked for, to see whether there are more.
    timeout_s
        Seconds that it may take, for messages.
    expand
        Makes rows of what the server gives, any number of each; None where it gives the rows.
    most_area
        Largest area of the sky of which the rows may tell, in square degrees.
    """

    def __init__(
        self,
        held: Held,
        translation: Translation,
        rows: int,
        timeout_s: float,
        expand: Expand | None = None,
        most_area: float = math.inf,
    ) -> None:
        self._most_area = most_area
        self._area = AnswerArea(translation.columns)
        self._expand = expand
        self._held = held
        self._translation = translation
        self._rows = rows
        self._timeout_s = timeout_s
        self._cursor: dbapi.Cursor | None = None
        self._is_cancelled = False
        # A cancellation that is on its way when its query ends would hit the next on the connection.
        self._at_one = threading.Lock()

    def run(self, answer: Answer) -> Generator[pa.RecordBatch]:
        """Yield the rows in the types of their columns, and note in the answer whether there are more.

        Raises
        ------
        Failure
            If the server cannot give them.
        """
        schema = schema_of(self._translation.columns)
        n_row = 0
        with self._open_cursor() as cursor:
            most = self._rows + 1 if self._expand is None else None
            reader = self._asked(lambda: _executed(cursor, self._translation.limited(most)))
            while not answer.is_cut and (batch := self._asked(lambda: _next(reader))) is not None:
                if self._expand is not None:
                    batch = self._expand(batch)
                answer.is_cut = n_row + batch.num_rows > self._rows
                batch = batch.slice(0, self._rows - n_row)
                n_row += batch.num_rows
                answer.n_row = n_row
                self._count_area(answer, batch)
                if batch.num_rows:
                    yield self._asked(lambda one=batch: conformed(one, schema))  # type: ignore[misc]
            if answer.is_cut and self._expand is not None:
                self.cancel()

    def _count_area(self, answer: Answer, batch: pa.RecordBatch) -> None:
        """Note of which area the rows tell; raises `TooMuch` where that is more than it may be."""
        self._area.add(batch)
        answer.sky_area = self._area.area
        if answer.sky_area is not None and answer.sky_area > self._most_area * _TOLERANCE:
            raise TooMuch(
                f"the answer tells of more than the {self._most_area:g} deg2 that one request of yours may "
                "process: ask for less of the sky at a time, or for exceptional resources"
            )

    def cancel(self) -> None:
        """Have the server end the query, from any thread; may be said again."""
        with self._at_one:
            if self._cursor is None:
                return
            self._held.is_spoiled = self._is_cancelled = True
            with contextlib.suppress(dbapi.Error, OSError):
                self._cursor.adbc_cancel()

    @contextlib.contextmanager
    def _open_cursor(self) -> Iterator[dbapi.Cursor]:
        """Cursor of the query; whoever leaves before the last row has it cancelled."""
        with self._held.connection.cursor(adbc_stmt_kwargs=_BATCH_HINT) as cursor:
            self._cursor = cursor
            try:
                yield cursor
            except BaseException:
                self.cancel()
                raise
            finally:
                with self._at_one:
                    self._cursor = None

    def _asked(self, question: Callable[[], pa.RecordBatch | None]) -> pa.RecordBatch | None:
        """Ask the server, and turn what it says into words for the author of the query."""
        try:
            return question()
        except (dbapi.Error, OSError, pa.ArrowException) as error:
            failure = from_server(str(error), self._timeout_s)
            if type(failure) is Failure and not self._is_cancelled:
                _log.error("query failed", error=str(error))
            raise failure from error


def _executed(cursor: dbapi.Cursor, sql: str) -> pa.RecordBatchReader:
    cursor.execute(sql)
    return cursor.fetch_record_batch()


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
