"""Names that can be used at a place of a query, and what they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from roman_db.tap.adql.catalog import Catalog, CatalogColumn, CatalogTable
from roman_db.tap.adql.error import error_at, listed, nearest, shortened, unknown, unknown_column
from roman_db.tap.adql.value import ColumnUse, Origin, Outline, Value, quoted_name
from roman_db.tap.adql.value_type import TEXT, Family, Type

#: Longest name in PostgreSQL, in bytes.
MAX_NAME = 63
#: Most characters of SQL that a query comes to, where values within others count again: a polygon of 10,000
#: corners in five functions stays below.
MAX_SQL = 10_000_000


@dataclass(frozen=True, slots=True)
class Named:
    """A column that can be seen, and what it is."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Output:
    """What a query gives: columns with distinct names, and those names that were given twice."""

    columns: tuple[Named, ...]
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A table, derived table or named query in FROM.

    Parameters
    ----------
    alias
        Name by which its columns are qualified.
    columns
        What it has.
    schema
        Its schema, where it is a table without an alias, and may be qualified by it.
    repeated
        Names that it has twice, which cannot be used.
    table
        The table of the catalog that it is, if it is one.
    """

    alias: str
    columns: tuple[Named, ...]
    schema: str | None = None
    repeated: frozenset[str] = frozenset()
    table: CatalogTable | None = None


@dataclass
class Surroundings:
    """What is the same everywhere in a query.

    Parameters
    ----------
    catalog
        Tables that there are.
    tables
        Those that the query uses, by full name.
    warnings
        What the author should know though the query runs.
    n_character
        Characters of SQL made so far, those of values within others counted again.
    """

    catalog: Catalog
    tables: dict[str, CatalogTable] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    n_character: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def warn(self, text: str) -> None:
        """Note something that the author should know, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def count(self, node: exp.Expression, sql: str) -> None:
        """Count SQL that was made of a node.

        A function may write an argument more than once, and each that stands around it does so again.

        Raises
        ------
        AdqlError
            If it is too much.
        """
        self.n_character += len(sql)
        if self.n_character > MAX_SQL:
            raise error_at(
                node,
                f"the query comes to more than {MAX_SQL:,} characters of SQL: functions that stand in one "
                "another are better computed one by one, each in a subquery in FROM",
            )


@dataclass
class Scope:
    """Names within one SELECT, and around it.

    Parameters
    ----------
    around
        What is the same everywhere.
    parent
        Scope of the query in which this one stands.
    queries
        Named queries (WITH) that are known here, by name.
    sources
        What stands in FROM.
    visible
        Columns that need no qualifier, in the order of ``*``; those of USING once.
    no_aggregate
        Where aggregates may not stand: what is said of the place; None where they may.
    keys
        SQL of what GROUP BY has, which may stand outside of aggregates.
    number
        Number of the SELECT, by which uses of its columns are known.
    """

    around: Surroundings
    parent: Scope | None = None
    queries: Mapping[str, Output] = field(default_factory=dict)
    sources: Sequence[Source] = ()
    visible: Sequence[Named] = ()
    no_aggregate: str | None = None
    keys: frozenset[str] = frozenset()
    number: int = 0

    def __post_init__(self) -> None:
        self.number = self.number or next(self.around.numbers)

    def inner(self) -> Scope:
        """Scope of a query that stands within this one."""
        return Scope(self.around, self, self.queries)

    def seeing(self, sources: Sequence[Source], visible: Sequence[Named]) -> Scope:
        """Return this scope with what stands in FROM."""
        return replace(self, sources=sources, visible=visible)

    def without_aggregates(self, reason: str) -> Scope:
        """Return this scope where aggregates may not stand."""
        return replace(self, no_aggregate=reason)


def matches(identifier: exp.Identifier, name: str) -> bool:
    """Whether a name in the query is that name: exact in double quotes, else whatever its capitals."""
    written: str = identifier.this
    return written == name if identifier.args.get("quoted") else written.lower() == name.lower()


def checked_name(identifier: exp.Identifier) -> str:
    """Return a new name that the query gives.

    Raises
    ------
    AdqlError
        If it is longer than PostgreSQL keeps.
    """
    name: str = identifier.this
    if len(name.encode()) > MAX_NAME:
        raise error_at(identifier, f"the name {shortened(name)} is longer than {MAX_NAME} bytes")
    return name


def find_column(scope: Scope, column: exp.Column) -> Named:
    """Column by its name, with or without table and schema.

    Raises
    ------
    AdqlError
        If there is no such column, or more than one.
    """
    at: Scope | None = scope
    while at is not None:
        found = _candidates(at, column)
        if len(found) == 1:
            return Named(found[0].name, _used(found[0].value, column))
        if found:
            raise error_at(
                column, f"{_written(column)} is the name of more than one column: {_advice(column, found)}"
            )
        at = at.parent
    raise _unknown_column(scope, column)


def _advice(column: exp.Column, found: Sequence[Named]) -> str:
    names = {one.name for one in found}
    if len(names) > 1:
        return f"write {listed(sorted(quoted_name(name) for name in names))}"
    return "write its table before it, as in table.column"


def _candidates(scope: Scope, column: exp.Column) -> list[Named]:
    """Columns of one scope that a name can mean."""
    name: exp.Identifier = column.this
    if column.args.get("table") is None:
        for source in scope.sources:
            _refuse_repeated(source, name)
        return [one for one in scope.visible if matches(name, one.name)]
    found = []
    for source in qualified_sources(scope, column):
        _refuse_repeated(source, name)
        found += [one for one in source.columns if matches(name, one.name)]
    return found


def qualified_sources(scope: Scope, column: exp.Column) -> list[Source]:
    """Sources of one scope that the qualifier of a column means."""
    table, schema = column.args["table"], column.args.get("db")
    return [
        source for source in scope.sources
        if matches(table, source.alias)
        and (schema is None or (source.schema is not None and matches(schema, source.schema)))
    ]  # fmt: skip


def _refuse_repeated(source: Source, name: exp.Identifier) -> None:
    if any(matches(name, repeated) for repeated in source.repeated):
        raise error_at(
            name, f"{source.alias} has more than one column {name.this}: give them aliases in the subquery"
        )


def _used(value: Value, column: exp.Column) -> Value:
    """Return a value as one that is used at a place of the text."""
    meta = column.meta
    uses = frozenset(replace(use, line=meta["line"], place=meta["col"]) for use in value.uses)
    return replace(value, uses=uses)


def _written(column: exp.Column) -> str:
    parts = [column.args.get(part) for part in ("db", "table", "this")]
    return shortened(".".join(part.this for part in parts if part is not None))


def _unknown_column(scope: Scope, column: exp.Column) -> Exception:
    """Error of a name that means nothing, with the nearest that mean something."""
    table = column.args.get("table")
    scopes = list(_outward(scope))
    if table is None:
        known = [one.name for each in scopes for one in each.visible]
        return unknown_column(column, "column", column.this.this, known)
    sources = [source for each in scopes for source in qualified_sources(each, column)]
    if not sources:
        aliases = [source.alias for each in scopes for source in each.sources]
        return unknown(table, "table or alias", _written(column).rsplit(".", 1)[0], aliases)
    known = [one.name for source in sources for one in source.columns]
    return unknown_column(column.this, f"column in {sources[0].alias}:", column.this.this, known)


def _outward(scope: Scope) -> Iterator[Scope]:
    at: Scope | None = scope
    while at is not None:
        yield at
        at = at.parent


def find_table(catalog: Catalog, name: exp.Identifier, schema: exp.Identifier | None) -> CatalogTable:
    """Table of the catalog by its name, with or without schema.

    Raises
    ------
    AdqlError
        If there is no such table, or more than one.
    """
    found = [
        table for table in catalog.named(name.this)
        if matches(name, table.name) and (schema is None or matches(schema, table.schema))
    ]  # fmt: skip
    if len(found) == 1:
        return found[0]
    written = f"{schema.this}.{name.this}" if schema is not None else name.this
    if found:
        raise error_at(name, f"{written} is more than one table: {listed(t.full_name for t in found)}")
    if schema is not None:
        raise unknown(name, "table", written, [table.full_name for table in catalog])
    full_names = {table.name: table.full_name for table in catalog}
    proposals = [full_names[one] for one in nearest(written, full_names)]
    hint = f"; did you mean {listed(proposals)}?" if proposals else ""
    raise error_at(name, f"there is no table {shortened(written)}{hint}", proposals)


def table_source(table: CatalogTable, alias: exp.Identifier | None, scope: Scope) -> Source:
    """Source of a table of the catalog."""
    name = table.name if alias is None else checked_name(alias)
    columns = tuple(_stored(table, column, name, scope.number) for column in table.columns)
    return Source(name, columns, table.schema if alias is None else None, table=table)


def _stored(table: CatalogTable, column: CatalogColumn, alias: str, scope: int) -> Named:
    """Column of a stored table as a value."""
    origin = Origin(table.full_name, column.name, (scope, alias))
    for longitude, latitude in table.sky_index:
        if column.name == longitude:
            origin = replace(origin, partner=latitude, is_longitude=True)
        elif column.name == latitude:
            origin = replace(origin, partner=longitude)
    coverage = f"{quoted_name(alias)}.{quoted_name(column.coverage)}" if column.coverage else None
    value = Value(
        f"{quoted_name(alias)}.{quoted_name(column.name)}",
        column.type,
        column.unit,
        column.ucd,
        column.description,
        uses=frozenset({ColumnUse(scope, alias, column.name)}),
        origin=origin,
        detail=None if coverage is None else Outline(coverage),
    )
    return Named(column.name, value)


def query_source(output: Output, alias: exp.Identifier, scope: Scope) -> Source:
    """Source of a derived table or a named query."""
    name = checked_name(alias)
    columns = tuple(
        Named(
            one.name,
            Value(
                f"{quoted_name(name)}.{quoted_name(one.name)}",
                given_type(one.value),
                one.value.unit,
                one.value.ucd,
                one.value.description,
                uses=frozenset({ColumnUse(scope.number, name, one.name)}),
                origin=_passed_on(one.value.origin, (scope.number, name)),
                weight=one.value.weight,
            ),
        )
        for one in output.columns
    )
    return Source(name, columns, repeated=output.repeated)


def given_type(value: Value) -> Type:
    """Type of a subquery's column: PostgreSQL takes NULL alone for text."""
    return TEXT if value.type.family is Family.NULL else value.type


def _passed_on(origin: Origin | None, row: tuple[int | str, ...]) -> Origin | None:
    """Origin of a column as it is seen outside of the subquery that gives it."""
    return None if origin is None else replace(origin, row=(*origin.row, *row))


def distinct_names(values: Iterable[Named]) -> Output:
    """Output with names that are all different: the second of a name gets a number."""
    taken: set[str] = set()
    repeated = set()
    columns = []
    for one in values:
        name, number = one.name, 1
        while name in taken:
            repeated.add(one.name)
            number += 1
            name = f"{one.name.encode()[: MAX_NAME - 6].decode(errors='ignore')}_{number}"
        taken.add(name)
        columns.append(Named(name, one.value))
    return Output(tuple(columns), frozenset(repeated))
