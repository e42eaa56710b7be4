"""VOTable 1.4 (IVOA) with units, UCDs and descriptions; the rows as TABLEDATA, written while they arrive.

How values are written follows the standard's section "Table Data" and DALI 1.1: a missing value is an empty
cell, an array has blanks between its elements, a time is ISO 8601.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.compute as pc
from astropy.io.votable import tree
from astropy.utils.xml.writer import XMLWriter

from roman_db.query.formats.text import TextStyle, as_text
from roman_db.query.stream import Result
from roman_db.templates import FORBIDDEN

_VERSION = "1.4"
_ROOT = {"version": _VERSION, "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3"}
_STYLE = TextStyle("", " ", "", nan="NaN", infinity="Inf", null_element="NaN")
#: What stands for a missing element of an array; that of integers is declared in the FIELD.
NULL_ELEMENT = {
    pa.bool_(): "?",
    pa.int16(): str(-(2**15)),
    pa.int32(): str(-(2**31)),
    pa.int64(): str(-(2**63)),
}
_DATATYPE = {
    pa.bool_(): "boolean",
    pa.int16(): "short",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "unicodeChar",
    pa.binary(): "unsignedByte",
}


def write_votable(result: Result, sink: BinaryIO) -> None:
    """Write a result as one table."""
    text = io.TextIOWrapper(sink, encoding="utf-8", write_through=True, newline="\n")
    try:
        _write(result, text)
    finally:
        # Left to itself it would close the sink, which is not ours.
        text.detach()


def _write(result: Result, text: TextIO) -> None:
    """Write the document."""
    writer = XMLWriter(text)
    text.write("<?xml version='1.0' encoding='utf-8'?>\n")
    with writer.tag("VOTABLE", **_ROOT), writer.tag("RESOURCE", type="results"):
        writer.element("INFO", name="QUERY_STATUS", value="OK")
        writer.element("INFO", name="QUERY", value=result.sql)
        with writer.tag("TABLE"):
            _write_fields(writer, result.schema)
            with writer.tag("DATA"):
                writer.string_element("<TABLEDATA>")
                for batch in result.batches:
                    text.writelines(table_rows(batch).to_pylist())
                writer.string_element("</TABLEDATA>")
        if result.is_cut:
            writer.element("INFO", name="QUERY_STATUS", value="OVERFLOW")


def header(schema: pa.Schema) -> str:
    """VOTable that describes the columns of a schema and has no rows."""
    text = io.StringIO()
    writer = XMLWriter(text)
    with writer.tag("VOTABLE", **_ROOT), writer.tag("RESOURCE"), writer.tag("TABLE"):
        _write_fields(writer, schema)
    return text.getvalue()


def _write_fields(writer: XMLWriter, schema: pa.Schema) -> None:
    """Write a FIELD for each column of a schema."""
    votable = tree.VOTableFile(version=_VERSION)
    for column in schema:
        known = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
        field = tree.Field(votable, name=column.name, ID=_identifier(column.name), **_type(column.type))
        field.unit, field.ucd = known.get("unit"), known.get("ucd")
        field.description = known.get("description")
        if pa.types.is_list(column.type) and pa.types.is_integer(column.type.value_type):
            field.values.null = NULL_ELEMENT[column.type.value_type]
        field.to_xml(writer)


def _identifier(name: str) -> str:
    """Name as an XML identifier, which astropy reads in place of the name."""
    return re.sub(r"\W|^(?=\d)", "_", name)


def _type(arrow_type: pa.DataType) -> dict[str, str]:
    """Datatype, size and extended type of a column."""
    if pa.types.is_list(arrow_type):
        return {"datatype": _DATATYPE[arrow_type.value_type], "arraysize": "*"}
    if pa.types.is_temporal(arrow_type):
        return {"datatype": "char", "arraysize": "*", "xtype": "timestamp"}
    size = {"arraysize": "*"} if arrow_type in (pa.string(), pa.binary()) else {}
    return {"datatype": _DATATYPE[arrow_type]} | size


def table_rows(batch: pa.RecordBatch) -> pa.Array:
    """Rows of TABLEDATA, a string each."""
    cells: list[pa.Array | str] = ["<TR><TD>"]
    for column in batch.columns:
        cells += [_cell(column), "</TD><TD>"]
    cells[-1] = "</TD></TR>\n"
    return pc.binary_join_element_wise(*cells, "", null_handling="replace", null_replacement="")


def _cell(array: pa.Array) -> pa.Array:
    """Values as text that may stand in XML."""
    if pa.types.is_list(array.type):
        null = NULL_ELEMENT.get(array.type.value_type, _STYLE.null_element)
        return as_text(array, replace(_STYLE, null_element=null)).cast(pa.string())
    text = as_text(array, _STYLE)
    if not pa.types.is_string(array.type):
        return text
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = pc.replace_substring(text, character, entity)
    return pc.replace_substring_regex(text, FORBIDDEN, "\ufffd")
