"""Schemas of RAD for products of the Science Support Center: keywords, and whether values obey them.

The schemas hold metadata alone, and rad does not register them with asdf, which knows the others.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import asdf
from asdf.resource import DirectoryResourceMapping

from roman_db.archive.datatype import fault

_PREFIX = "asdf://stsci.edu/datamodels/roman/schemas/SSC"


@dataclass(frozen=True)
class Keyword:
    """A keyword that the archive keeps.

    Parameters
    ----------
    name
        Name in the product.
    datatype
        Type of the archive's column, as nvarchar(50).
    destination
        Columns of the archive, as WFIMSOSCatalog.season.
    is_required
        Whether the schema asks for it.
    """

    name: str
    datatype: str
    destination: tuple[str, ...]
    is_required: bool


@cache
def load(schema: str) -> dict[str, Any]:
    """Read a schema below ``SSC``, its references resolved."""
    folder = importlib.resources.files("rad") / "resources" / "schemas" / "SSC"
    with asdf.config_context() as config:
        config.add_resource_mapping(DirectoryResourceMapping(folder, _PREFIX, recursive=True))
        return dict(asdf.schema.load_schema(f"{_PREFIX}/{schema}", resolve_references=True))


@cache
def keywords(schema: str) -> tuple[Keyword, ...]:
    """Keywords of a schema that the archive keeps, in its order."""
    return tuple(
        Keyword(name, archived["datatype"], tuple(archived["destination"]), name in part.get("required", ()))
        for part in _parts(load(schema))
        for name, described in part.get("properties", {}).items()
        if (archived := described.get("archive_catalog"))
    )


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


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and what it is made of."""
    for part in schema.get("allOf", ()):
        yield from _parts(part)
    yield schema
