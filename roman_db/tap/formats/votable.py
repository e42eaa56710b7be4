"""VOTable 1.4 (IVOA): what stands around the rows, and the rows as BINARY2 or TABLEDATA.

INFO elements say how the query went as DALI 1.1, section 4.4, has it: OK before the table, OVERFLOW or
ERROR after it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from roman_db.query.formats.votable import NULL_ELEMENT, table_rows
from roman_db.service_failure import Failure
from roman_db.tap.adql import OutputColumn
from roman_db.tap.answer_rows import Answer, Descriptor, is_ascii, schema_of
from roman_db.tap.formats.binary2 import encode_batch
from roman_db.tap.formats.text_cells import with_time_text, without_bytes
from roman_db.templates import FORBIDDEN

_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n<RESOURCE type="results">\n'
)
_END_OF_RESULTS, _END = "</RESOURCE>\n", "</VOTABLE>\n"


def write_binary2(answer: Answer) -> Iterator[bytes]:
    """Yield a VOTable with rows in BINARY2, base64, as they come."""
    yield _head(answer) + b'<BINARY2>\n<STREAM encoding="base64">\n'
    yield from _closed(answer, _base64(_packed(answer)), "</STREAM>\n</BINARY2>")


def write_tabledata(answer: Answer) -> Iterator[bytes]:
    """Yield a VOTable with rows in TABLEDATA, as they come."""
    yield _head(answer) + b"<TABLEDATA>\n"
    yield from _closed(answer, _cells(answer), "</TABLEDATA>")


def error_document(message: str, query: str | None = None) -> bytes:
    """VOTable that says why there is no result."""
    about = "" if query is None else _info("QUERY", query)
    return (_OPENING + _info("QUERY_STATUS", "ERROR", message) + about + _END_OF_RESULTS + _END).encode()


def _closed(answer: Answer, rows: Iterator[bytes], closing: str) -> Iterator[bytes]:
    """Yield rows and the end of the document, also where no more can come: then it says so."""
    status = ""
    try:
        yield from rows
    except Failure as failure:
        answer.failure = failure
        status = _info("QUERY_STATUS", "ERROR", str(failure))
    if answer.is_cut:
        status = _info("QUERY_STATUS", "OVERFLOW", "There are more rows: MAXREC asks for more of them.")
    service = "" if answer.descriptor is None else answer.descriptor.resource
    yield f"{closing}\n</DATA>\n</TABLE>\n{status}{_END_OF_RESULTS}{service}{_END}".encode()


def _head(answer: Answer) -> bytes:
    """All that stands before the rows."""
    parts = [_OPENING, _info("QUERY_STATUS", "OK"), _info("QUERY", answer.query)]
    parts += [_info("warning", warning) for warning in answer.warnings]
    fields = (_field(column, _identifier(column, answer.descriptor)) for column in answer.columns)
    parts += ["<TABLE>\n", *fields, "<DATA>\n"]
    return "".join(parts).encode()


def _info(name: str, value: str, text: str = "") -> str:
    return f"<INFO name={quoteattr(name)} value={quoteattr(_clean(value))}>{escape(_clean(text))}</INFO>\n"


def _clean(text: str) -> str:
    """Text without the characters that XML has no place for."""
    return re.sub(FORBIDDEN, "\ufffd", text)


def _identifier(column: OutputColumn, descriptor: Descriptor | None) -> str | None:
    """ID of a FIELD, where a service refers to it."""
    return descriptor.identifier if descriptor is not None and descriptor.column == column.name else None


def _field(column: OutputColumn, identifier: str | None) -> str:
    """FIELD of a column."""
    known = {
        "name": column.name,
        "ID": identifier,
        "datatype": column.datatype,
        "arraysize": column.arraysize,
        "xtype": column.xtype,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
    }
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in known.items() if value)
    about = f"<DESCRIPTION>{escape(column.description)}</DESCRIPTION>" if column.description else ""
    return f"<FIELD{attributes}>{about}{_null_of_elements(column)}</FIELD>\n"


def _null_of_elements(column: OutputColumn) -> str:
    """What stands for a missing element of an array of integers."""
    (field,) = schema_of([column])
    if not (pa.types.is_list(field.type) and pa.types.is_integer(field.type.value_type)):
        return ""
    return f"<VALUES null={quoteattr(NULL_ELEMENT[field.type.value_type])}/>"


def _packed(answer: Answer) -> Iterator[bytes]:
    """Rows of BINARY2."""
    sizes = tuple(_fixed_size(column) for column in answer.columns)
    for batch in answer.batches:
        yield encode_batch(_of_declared_characters(batch, answer.columns), sizes).tobytes()


def _of_declared_characters(batch: pa.RecordBatch, columns: Sequence[OutputColumn]) -> pa.RecordBatch:
    """Rows whose texts of ASCII, and times, are bytes.

    Raises
    ------
    Failure
        If a column of ASCII has other characters, which it had not in the first rows.
    """
    arrays = []
    for column, values in zip(columns, with_time_text(batch).columns, strict=True):
        if column.datatype == "char" and not is_ascii(values):
            raise Failure(
                f"column {column.name} has characters beyond ASCII, which came too late to declare them: "
                "RESPONSEFORMAT votable/td has a place for them"
            )
        as_bytes = column.datatype == "char" and pa.types.is_string(values.type)
        arrays.append(values.cast(pa.binary()) if as_bytes else values)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _fixed_size(column: OutputColumn) -> int | None:
    """Elements of an array that always has as many."""
    return int(column.arraysize) if column.arraysize not in (None, "*", "1") else None


def _base64(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks in base64, each a line; what does not fill three bytes goes with the next."""
    rest = b""
    for block in blocks:
        whole = rest + block
        cut = len(whole) - len(whole) % 3
        yield binascii.b2a_base64(whole[:cut])
        rest = whole[cut:]
    yield binascii.b2a_base64(rest)


def _cells(answer: Answer) -> Iterator[bytes]:
    """Rows of TABLEDATA."""
    for batch in answer.batches:
        rows = table_rows(with_time_text(without_bytes(batch)))
        yield "".join(rows.to_pylist()).encode()
