"""SQLAlchemy metadata made from the table descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from roman_db.schema.model import Column, Table, read_tables

#: How SQL is written.
DIALECT = sa.create_mock_engine("postgresql+psycopg2://", lambda *_: None).dialect

_SCALAR: dict[str, TypeEngine[Any]] = {
    "boolean": sa.Boolean(),
    "short": sa.SmallInteger(),
    "int": sa.Integer(),
    "long": sa.BigInteger(),
    "float": sa.REAL(),
    "double": sa.Double(),
    "text": sa.Text(),
    "timestamp": sa.TIMESTAMP(timezone=True),
    "binary": sa.LargeBinary(),
}
_SPECIAL: dict[str, TypeEngine[Any]] = {
    "int8multirange": postgresql.INT8MULTIRANGE(),
    "jsonb": postgresql.JSONB(),
    "interval": postgresql.INTERVAL(),
}


def type_name(sql_type: TypeEngine[Any]) -> str:
    """Name of a type as PostgreSQL writes it."""
    return str(sql_type.compile(dialect=DIALECT)).lower()


def column_type(column: Column) -> TypeEngine[Any]:
    """Give the PostgreSQL type of a column; an ``arraysize`` makes an array of the datatype."""
    if column.postgresql_type is not None:
        return _SPECIAL[column.postgresql_type]
    scalar = _SCALAR[column.datatype]
    if column.arraysize is not None and column.datatype != "text":
        return postgresql.ARRAY(scalar)
    return scalar


def make_metadata(tables: Iterable[Table]) -> sa.MetaData:
    """Build the metadata with names by a fixed convention, so that migrations can refer to them."""
    convention = {
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
    metadata = sa.MetaData(naming_convention=convention)
    for table in tables:
        _add_table(metadata, table)
    return metadata


@cache
def metadata() -> sa.MetaData:
    """Metadata of the tables of this release."""
    return make_metadata(read_tables().values())


def table(full_name: str) -> sa.Table:
    """Return a table of this release by its full name, such as ``roman.object``."""
    return metadata().tables[full_name]


def _add_table(metadata: sa.MetaData, table: Table) -> None:
    """Add one table to the metadata."""
    arguments: list[sa.schema.SchemaItem] = [_sa_column(column) for column in table.columns]
    arguments.append(sa.PrimaryKeyConstraint(*table.primary_key))
    arguments += [sa.UniqueConstraint(*columns) for columns in table.unique]
    arguments += [sa.Index(index.name, *index.columns) for index in table.indexes]
    arguments += [sa.CheckConstraint(text, name=name) for name, text in table.checks.items()]
    options = {} if table.partition is None else {"postgresql_partition_by": table.partition}
    sa.Table(table.name, metadata, *arguments, schema=table.schema, comment=table.description, **options)  # type: ignore[call-overload]


def _sa_column(column: Column) -> sa.Column[Any]:
    """Build one SQLAlchemy column."""
    parts: list[sa.schema.SchemaItem] = []
    if column.identity:
        parts.append(sa.Identity(always=False))
    if column.references is not None and column.enforced:
        parts.append(sa.ForeignKey(column.references))
    return sa.Column(
        column.name,
        column_type(column),
        *parts,
        nullable=column.nullable,
        server_default=None if column.default is None else sa.text(column.default),
        autoincrement=column.identity,
        comment=column.comment,
    )
