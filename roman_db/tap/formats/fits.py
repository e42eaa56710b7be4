"""FITS binary tables (FITS 4.0, section 7.3).

Their headers say how many rows there are and how wide text is, so the rows go to a file first and are read
from it twice: for the table, and for the arrays behind it. QSTATUS in the header is OK or OVERFLOW.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
from astropy.io import fits

from roman_db.service_failure import TooMuch
from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Answer, schema_of
from roman_db.tap.formats.fits_rows import Extent, Form, form_of, heap_of, null_of, rows_of

#: Bytes of a block of FITS.
_BLOCK = 2880


def write_fits(answer: Answer) -> Iterator[bytes]:
    """Yield the file once all rows are there."""
    schema = schema_of(answer.columns)
    extents = [Extent() for _ in schema]
    with tempfile.TemporaryFile() as spool:
        n_row = _spool(answer, schema, spool, extents)
        forms = [form_of(field.type, extent) for field, extent in zip(schema, extents, strict=True)]
        header = _header(answer, forms)
        heap = sum(extent.heap for extent in extents)
        header["NAXIS1"] = width = sum(form.wire.itemsize for form in forms)
        header["NAXIS2"], header["PCOUNT"] = n_row, heap
        yield fits.PrimaryHDU().header.tostring().encode("ascii")
        yield header.tostring().encode("ascii")
        heap_at = 0
        for batch in _spooled(spool):
            rows, heap_at = rows_of(batch, forms, heap_at)
            yield rows
        for batch in _spooled(spool):
            yield heap_of(batch)
        yield bytes(-(width * n_row + heap) % _BLOCK)


def _spool(answer: Answer, schema: pa.Schema, spool: IO[bytes], extents: list[Extent]) -> int:
    """Write the rows to a file, and return how many there are."""
    n_row = 0
    with pa.ipc.new_stream(spool, schema) as writer:
        for batch in answer.batches:
            for extent, array in zip(extents, batch.columns, strict=True):
                extent.grow(array)
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            n_row += batch.num_rows
            _check_room(spool.tell(), answer.most_bytes)
    return n_row


def _check_room(n_byte: int, most: int | None) -> None:
    """Raise `TooMuch` where more rows are kept than may be."""
    if most is not None and n_byte > most:
        raise TooMuch(
            f"a FITS file is kept on disk until all rows are there, and this one would have more than the "
            f"{most:,} bytes for which you have room: ask for less, or for another format"
        )


def _spooled(spool: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """Rows of the file from its start."""
    spool.seek(0)
    with pa.ipc.open_stream(spool) as reader:
        yield from reader


def _header(answer: Answer, forms: Sequence[Form]) -> fits.Header:
    """Header of the table; its sizes are to be filled in."""
    header = fits.Header(
        [
            ("XTENSION", "BINTABLE", "binary table"),
            ("BITPIX", 8),
            ("NAXIS", 2),
            ("NAXIS1", 0, "bytes of a row"),
            ("NAXIS2", 0, "rows"),
            ("PCOUNT", 0, "bytes of the arrays behind the rows"),
            ("GCOUNT", 1),
            ("TFIELDS", len(forms)),
            ("EXTNAME", "RESULT"),
            ("QSTATUS", "OVERFLOW" if answer.is_cut else "OK", "OVERFLOW: there are more rows"),
        ]
    )
    for number, (column, form) in enumerate(zip(answer.columns, forms, strict=True), 1):
        for key, value in _cards(column, form).items():
            header[f"{key}{number}"] = value
    return header


def _cards(column: OutputColumn, form: Form) -> dict[str, str | int]:
    """What the header says of a column."""
    (field,) = schema_of([column])
    type_ = field.type.value_type if pa.types.is_list(field.type) else field.type
    cards: dict[str, str | int | None] = {
        "TTYPE": _plain(column.name),
        "TFORM": form.tform,
        "TUNIT": _plain(column.unit),
        "TUCD": _plain(column.ucd),
        "TCOMM": _plain(column.description),
        "TNULL": null_of(type_),
    }
    return {key: value for key, value in cards.items() if value is not None}


def _plain(text: str | None) -> str | None:
    """Text as a header may have it; None where there is none."""
    if not text:
        return None
    return "".join(one if " " <= one <= "~" else "?" for one in " ".join(text.split()))
