"""From ADQL to SQL: `translate` is what services call."""

from __future__ import annotations

from dataclasses import dataclass

from roman_db.tap.adql.catalog import Catalog
from roman_db.tap.adql.dialect import tree_of
from roman_db.tap.adql.error import AdqlError
from roman_db.tap.adql.query import QuerySql, limits_sql, query_of
from roman_db.tap.adql.scope import Named, Scope, Surroundings
from roman_db.tap.adql.value_type import TEXT, Family


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One column of a result, as a VOTable FIELD or TAP_SCHEMA describes it.

    Parameters
    ----------
    name
        Its name, different from all others; that of the column of the SQL.
    datatype, arraysize, xtype
        Its type in a VOTable.
    unit, ucd, description
        What is known of it; None where nothing is.
    source
        Full name of the table's column that it is as it stands; None for what is computed.
    utype
        Element of a data model that this column is; None where it is none.
    """

    name: str
    datatype: str
    arraysize: str | None
    xtype: str | None
    unit: str | None
    ucd: str | None
    description: str | None
    source: str | None
    utype: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a query is in SQL.

    Parameters
    ----------
    body
        One SELECT for PostgreSQL, without LIMIT and OFFSET. All values stand in it as literals; percent
        signs are not doubled.
    columns
        What it gives, in its order.
    tables
        Full names of the tables that it reads.
    top, offset
        Of TOP and OFFSET; None where there is none.
    is_ordered
        Whether it says in which order rows come.
    warnings
        What the author should know though the query runs.
    """

    body: str
    columns: tuple[OutputColumn, ...]
    tables: frozenset[str]
    top: int | None
    offset: int | None
    is_ordered: bool
    warnings: tuple[str, ...]

    @property
    def sql(self) -> str:
        """SQL of the whole query."""
        return self.limited(None)

    def limited(self, rows: int | None) -> str:
        """SQL that gives at most so many rows: a service asks for one more than it may hand out."""
        limits = [limit for limit in (rows, self.top) if limit is not None]
        return self.body + limits_sql(min(limits, default=None), self.offset)


def translate(query: str, catalog: Catalog) -> Translation:
    """Translate a query of ADQL 2.1 to SQL of PostgreSQL.

    The SQL needs ``standard_conforming_strings``, a time zone of UTC and the schema of q3c on the search
    path; what it reads is in ``tables``.

    Parameters
    ----------
    query
        Text of the query.
    catalog
        Tables and columns that it may name, those uploaded included.

    Raises
    ------
    AdqlError
        If it is no ADQL, names what the catalog does not have, or makes no sense; with the place in the text.
    """
    around = Surroundings(catalog)
    try:
        translated = query_of(tree_of(query), Scope(around), is_outermost=True)
    except RecursionError:
        raise AdqlError("the query is nested too deeply") from None
    return Translation(
        body=translated.body,
        columns=tuple(_column(one, translated, catalog) for one in translated.output.columns),
        tables=frozenset(around.tables),
        top=translated.limit,
        offset=translated.offset,
        is_ordered=translated.is_ordered,
        warnings=tuple(around.warnings),
    )


def _column(named: Named, translated: QuerySql, catalog: Catalog) -> OutputColumn:
    """Description of a column of the result."""
    value = named.value
    type_ = TEXT if value.type.family is Family.NULL else value.type
    origin = value.origin
    return OutputColumn(
        named.name,
        type_.datatype,
        type_.arraysize,
        type_.xtype,
        value.unit,
        value.ucd,
        value.description,
        f"{origin.table}.{origin.column}" if origin is not None else None,
        catalog.utype(origin.table, origin.column) if origin is not None else None,
    )
