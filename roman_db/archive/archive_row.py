"""The row of a product in its table of the archive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from astropy.time import Time

from roman_db.archive.datatype import fault
from roman_db.schema.rad import keywords


def row_content(schema: str, table: str, values: Mapping[str, object]) -> dict[str, object]:
    """Values by the columns of a table of the archive.

    Parameters
    ----------
    schema
        Schema of the product.
    table
        Table of the archive, as RAD names it.
    values
        Keywords of the product by their names in `roman_db.schema.rad`; those without a column there are left
        out, as those are that have no value.
    """
    columns = {keyword.name: (keyword.column(table), keyword.datatype) for keyword in keywords(schema)}
    found = {}
    for name, value in values.items():
        column, datatype = columns.get(name, (None, ""))
        if column is not None and value is not None:
            found[column] = _stored(value, datatype)
    return found


def meta_values(schema: str, meta: Mapping[str, object]) -> dict[str, object]:
    """Archived keywords of a product by their names, out of its metadata; times are texts, in UTC.

    Parameters
    ----------
    schema
        Schema of the product.
    meta
        What it has at ``roman.meta``.
    """
    found = {keyword.name: _at(meta, keyword.name.split(".")[1:]) for keyword in keywords(schema)}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def type_faults(schema: str, table: str, values: Mapping[str, object]) -> list[str]:
    """Say which keywords do not fit their columns of a table of the archive; nothing if all do."""
    found = []
    for keyword in keywords(schema):
        if (column := keyword.column(table)) is None or keyword.name not in values:
            continue
        if words := fault(_stored(values[keyword.name], keyword.datatype), keyword.datatype):
            found.append(f"{keyword.name}: {words} ({table}.{column})")
    return found


def _at(node: object, path: Sequence[str]) -> object:
    """What lies at a path of names; None where there is nothing."""
    for name in path:
        if not isinstance(node, Mapping) or name not in node:
            return None
        node = node[name]
    return node


def _plain(value: object) -> object:
    """Value of a tree of ASDF in the types of JSON."""
    if isinstance(value, Time):
        return str(value.utc.isot)
    if isinstance(value, str):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, Sequence) else value


def _stored(value: object, datatype: str) -> object:
    """Value as the archive has it: flags are letters there, and lists texts."""
    if isinstance(value, bool) and datatype.startswith("nchar"):
        return "T" if value else "F"
    return json.dumps(value) if isinstance(value, list) else value
