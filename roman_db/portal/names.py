"""Names that the editor of ADQL completes: tables, columns and functions that queries may use."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

from roman_db.accounts.account import Account
from roman_db.accounts.scratch import scratch_columns
from roman_db.portal.reading import rows
from roman_db.tap.adql import USER_FUNCTIONS
from roman_db.tap.adql.functions import AGGREGATES, FUNCTIONS

#: How functions of ADQL 2.1 are called that take more than one number.
_FORMS = {
    "POINT": "POINT(lon, lat)",
    "CIRCLE": "CIRCLE(lon, lat, radius)",
    "BOX": "BOX(lon, lat, width, height)",
    "POLYGON": "POLYGON(lon, lat, lon, lat, lon, lat, …)",
    "CONTAINS": "1 = CONTAINS(inner, outer)",
    "INTERSECTS": "1 = INTERSECTS(one, other)",
    "DISTANCE": "DISTANCE(point, point)",
    "IN_UNIT": "IN_UNIT(value, 'unit')",
    "COALESCE": "COALESCE(value, …)",
    "NULLIF": "NULLIF(value, value)",
    "COUNT": "COUNT(*)",
    "PI": "PI()",
    "RAND": "RAND()",
    "ATAN2": "ATAN2(y, x)",
    "POWER": "POWER(base, exponent)",
    "MOD": "MOD(number, divisor)",
    "ROUND": "ROUND(number, digits)",
    "TRUNCATE": "TRUNCATE(number, digits)",
}
#: What is refused, and what the standard advises against.
_NOT_OFFERED = frozenset(("REGION", "COORDSYS"))


def known_names(account: Account | None = None) -> dict[str, Any]:
    """Tables with their columns, and functions, each with what it means.

    Parameters
    ----------
    account
        Whose scratch tables, and its team's, are among them; None for nobody's.
    """
    by_table = itertools.groupby(rows("tap_columns"), key=lambda one: one["table_name"])
    tables = [_table(list(columns)) for _, columns in by_table]
    return {"tables": tables + ([] if account is None else _scratch(account)), "functions": _functions()}


def _table(columns: list[dict[str, Any]]) -> dict[str, Any]:
    first = columns[0]
    return {
        "schema": first["schema_name"],
        "name": first["table_name"].removeprefix(f"{first['schema_name']}."),
        "description": first["table_description"],
        "columns": [
            {
                "name": one["column_name"],
                "unit": one["unit"],
                "type": one["datatype"],
                "description": one["description"],
            }
            for one in columns
        ],
    }


def _scratch(account: Account) -> list[dict[str, Any]]:
    """Scratch tables that an account may read; columns keep what the query said of them."""
    by_table = itertools.groupby(scratch_columns(account), key=lambda one: (one["schema"], one["name"]))
    own = account.scratch_schema
    return [
        {
            "schema": schema,
            "name": name,
            "description": "Your scratch table." if schema == own else "A scratch table of your team.",
            "columns": [_kept(one) for one in columns],
        }
        for (schema, name), columns in by_table
    ]


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    said = json.loads(row["comment"])
    unit, description = said["unit"] or "", said["description"] or ""
    return {"name": row["column_name"], "unit": unit, "type": said["datatype"], "description": description}


@cache
def _functions() -> list[dict[str, str]]:
    standard = sorted((set(FUNCTIONS) | AGGREGATES) - _NOT_OFFERED)
    own = [
        {"name": name, "form": function.signatures[0], "description": function.description}
        for name, function in USER_FUNCTIONS.items()
    ]
    return own + [
        {"name": name, "form": _FORMS.get(name, f"{name}(value)"), "description": ""} for name in standard
    ]
