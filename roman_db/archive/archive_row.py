"""The row of a product in its table of the archive."""

from __future__ import annotations

import json
from collections.abc import Mapping

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


def _stored(value: object, datatype: str) -> object:
    """Value as the archive has it: flags are letters there, and lists texts."""
    if isinstance(value, bool) and datatype.startswith("nchar"):
        return "T" if value else "F"
    return json.dumps(value) if isinstance(value, list) else value
