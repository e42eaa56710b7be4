"""What a query may name: tables and columns with their types, units and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from roman_db.tap.adql.value_type import Type

#: Schema of the tables that come with a query (TAP 1.1, section 2.5).
UPLOAD_SCHEMA = "TAP_UPLOAD"


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """One column that may be named; what is not in the catalog does not exist for a query.

    Parameters
    ----------
    name
        Name in the catalog and in the database.
    type
        Its type.
    unit, ucd, description, utype
        As in TAP_SCHEMA; None where there is none.
    coverage
        Column of the same table with the coverage map of what an outline encloses, which geometric functions
        ask in its place; None for others.
    """

    name: str
    type: Type
    unit: str | None = None
    ucd: str | None = None
    description: str | None = None
    utype: str | None = None
    coverage: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """One table or view that may be named.

    Parameters
    ----------
    schema, name
        Names by which a query calls it: ``roman`` and ``object``, ``TAP_UPLOAD`` and ``mine``.
    columns
        All its columns that may be seen.
    stored_schema, stored_name
        What PostgreSQL calls it; the same unless given. ``pg_temp`` for an uploaded table.
    sky_index
        Pairs of columns, longitude and latitude, by which a q3c index finds rows.
    primary_key
        Columns that are unique together; empty for a view.
    object_partition
        Column by which partitions of light curves are found, so that few objects are best asked for
        by a list of their identifiers; None for other tables.
    """

    schema: str
    name: str
    columns: tuple[CatalogColumn, ...]
    stored_schema: str | None = None
    stored_name: str | None = None
    sky_index: tuple[tuple[str, str], ...] = ()
    primary_key: tuple[str, ...] = ()
    object_partition: str | None = None

    @property
    def full_name(self) -> str:
        """Schema and name, as a query writes it."""
        return f"{self.schema}.{self.name}"


class Catalog:
    """Tables by name. Regular names are the same in capitals, those in double quotes are exact.

    Parameters
    ----------
    tables
        All tables that a query may name.
    """

    def __init__(self, tables: Iterable[CatalogTable]) -> None:
        self._tables: dict[str, list[CatalogTable]] = {}
        for table in tables:
            self._tables.setdefault(table.name.lower(), []).append(table)

    def __iter__(self) -> Iterator[CatalogTable]:
        """Go through all tables."""
        return (table for named in self._tables.values() for table in named)

    def with_tables(self, tables: Iterable[CatalogTable]) -> Catalog:
        """Catalog of these and further tables: uploads, or those of an account."""
        merged = Catalog(())
        merged._tables = {name: list(named) for name, named in self._tables.items()}
        for table in tables:
            merged._tables.setdefault(table.name.lower(), []).append(table)
        return merged

    def named(self, name: str) -> list[CatalogTable]:
        """Tables of a name in any schema, whatever its capitals."""
        return self._tables.get(name.lower(), [])

    def utype(self, table: str, column: str) -> str | None:
        """Element of a data model that a column is, given the full name of its table; None for none."""
        for one in self.named(table.rpartition(".")[2]):
            if one.full_name == table:
                return next((known.utype for known in one.columns if known.name == column), None)
        return None
