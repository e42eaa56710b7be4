"""Whether the keywords of a product obey its schema in RAD and the types of the archive's columns."""

from __future__ import annotations

from collections.abc import Mapping

import asdf

from roman_db.archive.datatype import fault
from roman_db.schema.rad import keywords, load


def faults(schema: str, values: Mapping[str, object]) -> list[str]:
    """Say what is wrong with the keywords of a product, one reason a line; nothing if all is well.

    Both count: the schema (JSON Schema, as asdf has it), and the types of the archive's columns.
    """
    validator = asdf.schema.get_validator(load(schema))
    found = [
        f"{'.'.join(map(str, error.path)) or 'keywords'}: {error.message}"
        for error in validator.iter_errors(dict(values))
    ]
    known = {keyword.name: keyword for keyword in keywords(schema)}
    for name, value in values.items():
        if name not in known:
            found.append(f"{name}: {schema} has no such keyword")
        elif (words := fault(value, known[name].datatype)) is not None:
            found.append(f"{name}: {words} ({', '.join(known[name].destination)})")
    return found
