"""The bytes of an answer while its query runs."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pyarrow as pa

from roman_db.service_failure import Failure, Lost
from roman_db.tap.adql import Translation
from roman_db.tap.answer_rows import Answer, Descriptor, as_seen
from roman_db.tap.connections import Held
from roman_db.tap.parameters import QueryRequest
from roman_db.tap.running_query import Expand, RunningQuery
from roman_db.tap.uploads.upload import Upload

#: Bytes that are sent at once.
_CHUNK = 2**18
#: zlib's fastest level, and its word for the format of gzip.
_GZIP_LEVEL, _GZIP_WINDOW = 1, 31


@dataclass(frozen=True)
class Asked:
    """What is asked.

    Parameters
    ----------
    request, translation
        The request, and its query in SQL.
    takes_gzip
        Whether the client takes gzip.
    uploads
        Tables of its own.
    descriptor
        Service that a VOTable of the results describes; None for none.
    expand
        Makes rows of what the server gives; None where it gives the rows.
    most_area
        Largest area of the sky of which the rows may tell, in square degrees.
    most_bytes
        Most bytes that may be kept on disk before they are sent; None for any number.
    """

    request: QueryRequest
    translation: Translation
    takes_gzip: bool
    uploads: tuple[Upload, ...] = ()
    descriptor: Descriptor | None = None
    expand: Expand | None = None
    most_area: float = math.inf
    most_bytes: int | None = None

    @property
    def compresses(self) -> bool:
        """Whether the answer is sent in gzip."""
        return self.takes_gzip and not self.request.format.is_compressed


class Sending:
    """Makes the chunks of an answer, each in a thread that may wait for the database.

    Parameters
    ----------
    asked
        What is asked.
    held
        Connection on which the query runs; None for an answer that is to have no rows.
    timeout_s
        Seconds that it may take, for messages.
    """

    def __init__(self, asked: Asked, held: Held | None, timeout_s: float) -> None:
        self._asked = asked
        self._held = held
        self._own: Held | None = None
        self._timeout_s = timeout_s
        self._running: RunningQuery | None = None
        self._rows: Generator[pa.RecordBatch] | None = None
        self._answer: Answer | None = None
        self._pieces: Iterator[bytes] = iter(())
        self.has_begun = False

    def begin(self) -> tuple[bytes, bool]:
        """First chunk, and whether it is the last; what fails until then can still be told as an error.

        Where the server has gone since the connection was last used, it is asked once more on a new one.
        """
        try:
            self._start()
        except Lost:
            if self._held is None or not self._held.is_used:
                raise
            self._held.reconnect()
            self._start()
        chunk = self.next_chunk()
        self.has_begun = True
        return chunk

    def next_chunk(self) -> tuple[bytes, bool]:
        """Next chunk, and whether it is the last."""
        parts, size = [], 0
        for piece in self._pieces:
            parts.append(piece)
            size += len(piece)
            if size >= _CHUNK:
                return b"".join(parts), False
        self._close_rows()
        return b"".join(parts), True

    @property
    def failure(self) -> Failure | None:
        """Why rows are missing in what was written to its end."""
        return None if self._answer is None else self._answer.failure

    @property
    def n_row(self) -> int:
        """Rows that were given so far."""
        return 0 if self._answer is None else self._answer.n_row

    @property
    def sky_area(self) -> float | None:
        """Area of the sky of which they tell, in square degrees; None where that is not known."""
        return None if self._answer is None else self._answer.sky_area

    def cancel(self) -> None:
        """Have the server end the query, from any thread."""
        if self._running is not None:
            self._running.cancel()

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing to end: the query has, and has no tables."""
        return self._rows is None and self._own is None

    def end(self) -> None:
        """End the query if it still runs, and forget its tables."""
        self._close_rows()
        if self._own is not None:
            self._own.give_back()

    def _close_rows(self) -> None:
        """End the query, which then cannot be cancelled."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _start(self) -> None:
        """Run the query up to its first rows."""
        asked = self._asked
        answer = Answer(
            asked.request.query,
            asked.translation.columns,
            warnings=asked.translation.warnings,
            descriptor=asked.descriptor,
            most_bytes=asked.most_bytes,
        )
        self._answer = answer
        if self._held is None:
            answer.is_cut = True
        else:
            held = self._held
            if asked.uploads:
                if self._own is not None:
                    self._own.close()
                held = self._own = held.with_uploads(asked.uploads)
            self._running = RunningQuery(
                held,
                asked.translation,
                asked.request.rows,
                self._timeout_s,
                asked.expand,
                asked.most_area,
            )
            self._rows = self._running.run(answer)
            first = next(self._rows, None)
            if first is not None:
                answer.columns = as_seen(answer.columns, first)
                answer.batches = itertools.chain([first], self._rows)
        pieces = asked.request.format.write(answer)
        self._pieces = _compressed(pieces) if asked.compresses else pieces


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces in gzip."""
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
