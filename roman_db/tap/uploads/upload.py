"""An uploaded table: what a query calls it and its columns, and its rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from roman_db.service_failure import BadRequest
from roman_db.tap.adql import UPLOAD_SCHEMA, CatalogColumn, CatalogTable, Type
from roman_db.tap.answer_rows import is_ascii

#: Bytes that PostgreSQL's names have at most; some are kept for a number.
_LONGEST_NAME, _NUMBER = 63, 6
#: Names that columns of PostgreSQL cannot have, as each table has them already.
_TAKEN = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
_TIME = pa.timestamp("us", "UTC")
_TYPES = {
    pa.bool_(): ("boolean", Type("boolean")),
    pa.int16(): ("smallint", Type("short")),
    pa.int32(): ("integer", Type("int")),
    pa.int64(): ("bigint", Type("long")),
    pa.float32(): ("real", Type("float")),
    pa.float64(): ("double precision", Type("double")),
    pa.string(): ("text", Type("char", "*")),
    _TIME: ("timestamp with time zone", Type("char", "*", "timestamp")),
}
_WIDER = {
    pa.int8(): pa.int16(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.int64(),
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.date32(): _TIME,
    pa.date64(): _TIME,
    pa.null(): pa.string(),
}


@dataclass(frozen=True)
class Column:
    """What a file says of a column: its name, unit, UCD and description; None where it says nothing."""

    name: str
    unit: str | None = None
    ucd: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Upload:
    """A table as the catalog has it, and its rows in columns of the same names."""

    table: CatalogTable
    rows: pa.Table

    @property
    def name(self) -> str:
        """What a query calls it after ``TAP_UPLOAD``."""
        return self.table.name

    @property
    def definition(self) -> list[tuple[str, str]]:
        """Names of the columns and their types in PostgreSQL."""
        return [(field.name, _TYPES[field.type][0]) for field in self.rows.schema]


def made_upload(name: str, number: int, columns: Sequence[Column], rows: pa.Table) -> Upload:
    """Make a table of what was read.

    Parameters
    ----------
    name, number
        What a query calls it after ``TAP_UPLOAD``, and which one of the query's it is.
    columns
        What is known of the columns, in their order.
    rows
        Their values, of whatever types.

    Raises
    ------
    BadRequest
        If a column has values that no query can use, such as arrays.
    """
    names = usable_names([column.name for column in columns])
    arrays = [_usable(name, values) for name, values in zip(names, rows.columns, strict=True)]
    stored = pa.table(arrays, names=names)
    described = tuple(
        CatalogColumn(name, _type_of(values), one.unit, one.ucd, one.description)
        for name, one, values in zip(names, columns, stored.columns, strict=True)
    )
    return Upload(CatalogTable(UPLOAD_SCHEMA, name, described, "pg_temp", f"upload_{number}"), stored)


def _type_of(values: pa.ChunkedArray) -> Type:
    """Type of a column: text is of any characters where one is beyond ASCII."""
    return _TYPES[values.type][1] if is_ascii(values) else Type("unicodeChar", "*")


def usable_names(names: Sequence[str]) -> list[str]:
    """Names as PostgreSQL can have them, no two alike whatever their capitals.

    Control characters become underscores; what is too long is cut; what is empty is called by its place; the
    second of two that are alike gets a number.
    """
    found: list[str] = []
    taken = set(_TAKEN)
    for place, name in enumerate(names, 1):
        plain = "".join("_" if unicodedata.category(one)[0] == "C" else one for one in name).strip()
        plain = _cut(plain, _LONGEST_NAME) or f"column_{place}"
        usable, count = plain, 1
        while usable.lower() in taken:
            count += 1
            usable = f"{_cut(plain, _LONGEST_NAME - _NUMBER)}_{count}"
        taken.add(usable.lower())
        found.append(usable)
    return found


def _cut(text: str, size: int) -> str:
    """Text of so many bytes at most."""
    return text.encode()[:size].decode(errors="ignore")


def _usable(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values in a type of PostgreSQL."""
    type_ = values.type
    if pa.types.is_dictionary(type_):
        values = values.cast(type_.value_type)
        type_ = values.type
    target = check_type(name, type_)
    try:
        values = values.cast(target)
    except pa.ArrowInvalid as error:
        raise BadRequest(f"column {name[:60]} of an upload has values that are out of range") from error
    return _without_zeros(values) if target == pa.string() else values


def check_type(name: str, type_: pa.DataType) -> pa.DataType:
    """Type in which values of a column are stored.

    Raises
    ------
    BadRequest
        If there is none, as for arrays.
    """
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    if (target := _target(plain)) is None:
        raise BadRequest(
            f"column {name[:60]} of an upload has values of type {str(type_)[:60]}: leave it out"
        )
    return target


def _target(type_: pa.DataType) -> pa.DataType | None:
    """Type in which values are stored; None where there is none."""
    if type_ in _TYPES:
        return type_
    if pa.types.is_timestamp(type_):
        return _TIME
    return pa.float64() if pa.types.is_decimal(type_) else _WIDER.get(type_)


def _without_zeros(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text without the character of number 0, which PostgreSQL cannot store."""
    replaced: pa.ChunkedArray = pc.replace_substring(values, "\0", "\ufffd")
    return replaced


_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


def checked_table_name(name: str) -> str:
    """Name of an uploaded table.

    Raises
    ------
    BadRequest
        If a query could not name it.
    """
    if _TABLE_NAME.fullmatch(name) is None:
        raise BadRequest(
            f"UPLOAD: a table is called by letters, digits and underscores, at most 60, got {name[:80]!r}"
        )
    return name
