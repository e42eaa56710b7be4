"""The views as ``schema/views/*.yaml`` describe them; ``schema/postgres`` says how they are made.

A column is described in the words of a table's, or it names where it is taken from:
``same as: roman.object.ra`` for a column as it stands, ``element of: roman.light_curve_segment.flux`` for one
element of an array a row. Description, unit, UCD and whether it is a principal one are then those of that
column, unless it has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from roman_db.resources import folder, read_yaml
from roman_db.schema.model import (
    COLUMN_WORDS,
    Column,
    Relation,
    Table,
    one_line,
    read_column,
    read_tables,
    refuse_unknown,
)


@dataclass(frozen=True)
class View(Relation):
    """One view.

    Parameters
    ----------
    indexed
        Columns by which rows are found without reading all of them.
    sky_index
        Pairs of columns, longitude and latitude, that are those of tables with a q3c index.
    """

    indexed: frozenset[str]
    sky_index: tuple[tuple[str, str], ...] = ()


def read_views(tables: Mapping[str, Table] | None = None, directory: Path | None = None) -> dict[str, View]:
    """Read every view description, keyed by full name (``roman.light_curve``), in alphabetical order.

    Parameters
    ----------
    tables
        Tables that columns are taken from, by full name; those of this release unless given.
    directory
        Folder of the descriptions; that of this release unless given.
    """
    known = read_tables() if tables is None else tables
    paths = sorted((directory or folder("schema") / "views").glob("*.yaml"))
    views = [read_view(path, known) for path in paths]
    return {view.full_name: view for view in views}


def read_view(path: Path, tables: Mapping[str, Table]) -> View:
    """Read one view description.

    Raises
    ------
    ValueError
        If a word is not of the vocabulary, the file's name is not the view's, or a column is taken from
        one that there is not.
    """
    document = read_yaml(path)
    if document["name"] != path.stem:
        raise ValueError(f"{path}: view {document['name']!r} must stand in a file of its own name")
    refuse_unknown(path, document, _WORDS)
    entries = document["columns"]
    sky_index = tuple((lon, lat) for lon, lat in document.get("sky index", ()))
    return View(
        name=document["name"],
        schema=document["postgresql:schema"],
        description=one_line(document["description"]),
        columns=tuple(_column(path, entry, tables) for entry in entries),
        indexed=frozenset(entry["name"] for entry in entries if _is_indexed(entry, tables)).union(*sky_index),
        sky_index=sky_index,
        utype=document.get("votable:utype"),
    )


#: What is said of a view.
_WORDS = {"name", "postgresql:schema", "description", "columns", "sky index", "votable:utype"}

#: Where a column is taken from: as it stands, or one element of an array a row.
_SAME, _ELEMENT = "same as", "element of"

#: Words that a column which is taken from another may have of its own, and what they are called here.
_OWN_WORDS = {
    "name": "name",
    "description": "description",
    "fits:tunit": "unit",
    "ivoa:ucd": "ucd",
    "tap:principal": "principal",
}

#: What is said of a stored column only.
_OF_STORED = {
    "nullable",
    "postgresql:default",
    "autoincrement",
    "references",
    "postgresql:enforced",
    "rad:archive",
}


def _column(path: Path, entry: Mapping[str, Any], tables: Mapping[str, Table]) -> Column:
    """Build one column from its mapping."""
    if _SAME not in entry and _ELEMENT not in entry:
        refuse_unknown(path, entry, (COLUMN_WORDS.keys() - _OF_STORED) | {"description", "tap:principal"})
        return read_column(path, entry)
    refuse_unknown(path, entry, {*_OWN_WORDS, _ELEMENT if _ELEMENT in entry else _SAME})
    own = {ours: entry[theirs] for theirs, ours in _OWN_WORDS.items() if theirs in entry}
    if "description" in own:
        own["description"] = one_line(own["description"])
    source = _source(path, entry, tables)
    arraysize = None if _ELEMENT in entry else source.arraysize
    own["principal"] = bool(own.get("principal", source.principal))
    return replace(source, nullable=True, default=None, identity=False, arraysize=arraysize, **own)


def _source(path: Path, entry: Mapping[str, Any], tables: Mapping[str, Table]) -> Column:
    """Return the column that a column is taken from."""
    table, _, name = entry.get(_SAME, entry.get(_ELEMENT)).rpartition(".")
    try:
        source = tables[table].column(name)
    except KeyError:
        raise ValueError(f"{path}: {entry['name']}: there is no column {table}.{name}") from None
    if _ELEMENT in entry and (source.arraysize is None or source.datatype == "text"):
        raise ValueError(f"{path}: {entry['name']}: {table}.{name} holds no arrays")
    return source


def _is_indexed(entry: Mapping[str, Any], tables: Mapping[str, Table]) -> bool:
    """Whether a column is one of a table as it stands, and that table is found by it."""
    table, _, name = entry.get(_SAME, "").rpartition(".")
    return table in tables and name in tables[table].indexed
