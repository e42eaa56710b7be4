"""Parquet with units, UCDs and descriptions, as `roman_db.query.formats.parquet` writes it.

The metadata at the end of the file says ``query_status``: OK or OVERFLOW.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from pyarrow import parquet

from roman_db.query.formats.votable import header
from roman_db.tap.answer_rows import Answer, schema_of


def write_parquet(answer: Answer) -> Iterator[bytes]:
    """Yield the file as row groups are filled."""
    plain = schema_of(answer.columns)
    schema = plain.with_metadata(
        {
            "IVOA.VOTable-Parquet.version": "1.0",
            "IVOA.VOTable-Parquet.content": header(plain),
            "query": answer.query,
        }
    )
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in answer.batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield sink.taken()
        writer.add_key_value_metadata({"query_status": "OVERFLOW" if answer.is_cut else "OK"})
    yield sink.taken()


class _Sink(io.RawIOBase):
    """File that hands on what is written, and knows how much there was."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is for writing alone."""
        return True

    def write(self, data: object) -> int:
        """Keep bytes until they are taken."""
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._written

    def taken(self) -> bytes:
        """What has been written since the last time."""
        written = b"".join(self._parts)
        self._parts.clear()
        return written
