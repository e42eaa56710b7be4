"""What a product is made of, from the database: the only file here that asks it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from roman_db import session, sqlfile
from roman_db.archive.outline import polygon_around
from roman_db.archive.product import Product
from roman_db.archive.refusal import NothingThere
from roman_db.archive.request import Scope
from roman_db.code_version import code_version
from roman_db.query.statement import parse
from roman_db.query.stream import Request, Result, open_result
from roman_db.schema.metadata import table

_CONTENT, _KEYWORDS, _PARTS = "exports", "exports/keywords", "exports/parts"
_REGISTER = """
INSERT INTO ops.archive_row (archive_table, filename, content, code_version)
VALUES (CAST(:table AS text), CAST(:filename AS text), CAST(:content AS jsonb), CAST(:code AS text))
ON CONFLICT (archive_table, filename) DO UPDATE
SET content = EXCLUDED.content, code_version = EXCLUDED.code_version, written_at = now()
"""


def read_parts(product: Product, scope: Scope) -> list[dict[str, Any]]:
    """What of the scope of a product is not said, one row a file, of all files that there are of it.

    Raises
    ------
    NothingThere
        If there is none.
    """
    file = sqlfile.find(_PARTS, str(product.parts))
    with session.reading() as connection:
        rows = sqlfile.run(connection, file, _values(file, product, scope)).mappings().all()
    if not rows:
        raise NothingThere(product.name, [_nothing(scope)])
    return [dict(row) for row in rows]


def read_keywords(product: Product, scope: Scope) -> dict[str, object]:
    """Keywords of a product that the database knows, in RAD's types; what it does not know is left out.

    Raises
    ------
    NothingThere
        If there is nothing to describe.
    """
    found: dict[str, Any] = {}
    with session.reading() as connection:
        for name in product.keywords:
            file = sqlfile.find(_KEYWORDS, name)
            row = sqlfile.run(connection, file, _values(file, product, scope)).mappings().one_or_none()
            if row is None:
                raise NothingThere(product.name, [_nothing(scope)])
            found |= {key: value for key, value in row.items() if value is not None}
    outline = _outline(found.pop("footprint_first", None), found.pop("footprint_end", None))
    known = {name: _in_rad(value) for name, value in found.items()}
    return known if outline is None else {"s_region": outline} | known


@contextlib.contextmanager
def open_content(product: Product, scope: Scope) -> Iterator[Result]:
    """Stream the rows of a product while the context lasts; fields carry unit, UCD and description."""
    file = sqlfile.find(_CONTENT, product.name)
    with open_result(Request(parse(file.bind(_values(file, product, scope))))) as result:
        result.schema = with_units(result.schema, file)
        yield result


def register(connection: sa.Connection, table: str, rows: Mapping[str, Mapping[str, object]]) -> None:
    """Store the rows of files in a table of the archive, in place of earlier ones of the same names.

    Parameters
    ----------
    table
        Table of the archive, as RAD names it.
    rows
        Values by the archive's columns, by the name of the file.
    """
    values = [
        {"table": table, "filename": name, "content": json.dumps(content), "code": code_version()}
        for name, content in rows.items()
    ]
    if values:
        connection.execute(sa.text(_REGISTER), values)


def delivered(connection: sa.Connection, names: Iterable[str]) -> set[str]:
    """Those of some names of files of which the archive has a file by a delivery."""
    products = table("ops.product")
    there = products.c.state == "valid", products.c.superseded_at.is_(None)
    query = sa.select(products.c.filename).where(products.c.filename.in_(list(names)), *there)
    return set(connection.execute(query).scalars())


def _nothing(scope: Scope) -> str:
    """That there is nothing of a scope."""
    return f"there is nothing of {scope.words}" if scope.words else "there is nothing of which it is made"


def _values(file: sqlfile.SqlFile, product: Product, scope: Scope) -> dict[str, object]:
    """Values of the parameters of a file."""
    known = dataclasses.asdict(scope) | {"code_version": code_version(), "product": product.name}
    return {parameter.name: known[parameter.name] for parameter in file.parameters}


def _in_rad(value: object) -> object:
    """Value in the types of RAD: times as texts in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return float(value) if isinstance(value, Decimal) else value


def _outline(first: list[int] | None, end: list[int] | None) -> str | None:
    """Polygon around ranges of pixels; None without any."""
    return None if not first or not end else polygon_around(np.array([first, end], np.int64).T)


def _units(text: str) -> dict[str, str]:
    """Units that the header of a file gives to what is computed: ``name unit``, with commas between."""
    pairs = (part.split(maxsplit=1) for part in text.split(",") if part.strip())
    return {name: unit.strip() for name, unit in pairs}


def with_units(schema: pa.Schema, file: sqlfile.SqlFile) -> pa.Schema:
    """Schema whose fields have the units, too, that the header of a file gives to what is computed."""
    units = _units(file.sections.get("Units", ""))
    if missing := set(units) - set(schema.names):
        raise ValueError(f"the header gives units to columns that are not there: {sorted(missing)}")
    return pa.schema(
        [
            field.with_metadata({**(field.metadata or {}), b"unit": units[field.name].encode()})
            if field.name in units
            else field
            for field in schema
        ]
    )
