"""The tables as ``schema/tables/*.yaml`` describe them, in the vocabulary of Felis (Rubin's schema language).

What Felis has no word for is ours: ``postgresql:schema``, ``postgresql:partition``, ``rad:archive``,
``references``, ``adql:coverage`` (the column with the coverage map of an outline), and
``postgresql:enforced``: false where not each row is checked against what it refers to.
Loading a catalog would spend two fifths of its time on checks of identifiers that are the same in all rows;
the audit ``reference_unknown`` looks once at each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roman_db.resources import folder, read_yaml

#: The PostgreSQL schemas, in the order in which they are created.
POSTGRESQL_SCHEMAS = ("roman", "ops", "uws", "ivoa", "tap_schema")
#: Those that queries from outside may name, with what is in them.
PUBLIC_SCHEMAS = {
    "roman": "Exposures, objects, light curves, events and what was found about them.",
    "ivoa": "What there is, in the words of the Virtual Observatory (ObsCore, ObsLocTAP).",
    "tap_schema": "The tables that queries may name, and their columns.",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, meaning, unit (VOUnits), UCD and place in the archive."""

    name: str
    datatype: str
    description: str
    nullable: bool = True
    unit: str | None = None
    ucd: str | None = None
    principal: bool = False
    arraysize: str | None = None
    postgresql_type: str | None = None
    default: str | None = None
    identity: bool = False
    references: str | None = None
    enforced: bool = True
    archive: str | None = None
    utype: str | None = None
    xtype: str | None = None
    votable_datatype: str | None = None
    coverage: str | None = None

    @property
    def comment(self) -> str:
        """Description with the unit, as PostgreSQL keeps it."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


@dataclass(frozen=True)
class Index:
    """A plain B-tree index; what needs an expression or another method stands in ``schema/postgres``."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """What rows are selected from: a stored table or a view."""

    name: str
    schema: str
    description: str
    columns: tuple[Column, ...]
    utype: str | None = field(default=None, kw_only=True)

    @property
    def is_public(self) -> bool:
        """Whether queries from outside may name it."""
        return self.schema in PUBLIC_SCHEMAS

    @property
    def full_name(self) -> str:
        """Schema and name, as SQL writes it."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.full_name} has no column {name!r}")


@dataclass(frozen=True)
class Table(Relation):
    """One stored table."""

    primary_key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[Index, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    partition: str | None = None

    @property
    def indexed(self) -> frozenset[str]:
        """Columns by which rows are found without reading all of them: key and position on the sky."""
        position = {column.name for column in self.columns} & {"ra", "dec"}
        return frozenset({*self.primary_key[:1], *position})


def read_tables(directory: Path | None = None) -> dict[str, Table]:
    """Read every table description, keyed by full name (``roman.object``), in alphabetical order."""
    paths = sorted((directory or folder("schema") / "tables").glob("*.yaml"))
    tables = [read_table(path) for path in paths]
    return {table.full_name: table for table in tables}


def read_table(path: Path) -> Table:
    """Read one table description.

    Raises
    ------
    ValueError
        If a word is not of the vocabulary or the file's name is not the table's.
    """
    document = read_yaml(path)
    if document["name"] != path.stem:
        raise ValueError(f"{path}: table {document['name']!r} must stand in a file of its own name")
    known = {"name", "description", "primaryKey", "columns", "constraints", "indexes", "tap:table_index"}
    refuse_unknown(path, document, known | {"postgresql:schema", "postgresql:partition"})
    constraints = document.get("constraints", [])
    return Table(
        name=document["name"],
        schema=document["postgresql:schema"],
        description=one_line(document["description"]),
        columns=tuple(read_column(path, entry) for entry in document["columns"]),
        primary_key=tuple(document["primaryKey"]),
        unique=tuple(tuple(c["columns"]) for c in constraints if c["@type"] == "Unique"),
        indexes=tuple(Index(i["name"], tuple(i["columns"])) for i in document.get("indexes", [])),
        checks={c["name"]: c["expression"] for c in constraints if c["@type"] == "Check"},
        partition=document.get("postgresql:partition"),
    )


#: What the words of a column are called here.
COLUMN_WORDS = {
    "name": "name",
    "datatype": "datatype",
    "nullable": "nullable",
    "fits:tunit": "unit",
    "ivoa:ucd": "ucd",
    "votable:arraysize": "arraysize",
    "votable:datatype": "votable_datatype",
    "postgresql:datatype": "postgresql_type",
    "postgresql:default": "default",
    "autoincrement": "identity",
    "references": "references",
    "postgresql:enforced": "enforced",
    "rad:archive": "archive",
    "votable:utype": "utype",
    "votable:xtype": "xtype",
    "adql:coverage": "coverage",
}


def read_column(path: Path, entry: Mapping[str, Any]) -> Column:
    """Build one column from its mapping."""
    refuse_unknown(path, entry, {*COLUMN_WORDS, "description", "tap:principal"})
    words = {ours: entry[theirs] for theirs, ours in COLUMN_WORDS.items() if theirs in entry}
    return Column(
        description=one_line(entry["description"]), principal=bool(entry.get("tap:principal")), **words
    )


def one_line(text: str) -> str:
    """Fold white space."""
    return " ".join(text.split())


def refuse_unknown(path: Path, entry: Mapping[str, Any], known: set[str]) -> None:
    """Raise if the mapping has a word that the vocabulary has not."""
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"{path}: {entry.get('name')}: unknown words {unknown}; known are {sorted(known)}")
