"""What tiles are made of, from the database: the only file here that asks it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import psycopg2
import pyarrow as pa
import sqlalchemy as sa

from roman_db import session, sqlfile
from roman_db.archive.hats.tile import FINEST
from roman_db.archive.storage import with_units
from roman_db.copy_read import arrow_type, read_table
from roman_db.query.columns import describe
from roman_db.query.error import QueryError, explained
from roman_db.query.stream import arrow_field

IntArray = npt.NDArray[np.int64]

_FOLDER = "exports/hats"
# One look into the table an element: it has a row for each object and element.
_ELEMENTS = """
SELECT optical_element FROM roman.optical_element o
WHERE EXISTS (SELECT FROM roman.object_flux f WHERE f.optical_element = o.optical_element)
ORDER BY optical_element
"""
_SEASONS = "SELECT DISTINCT season FROM roman.{} WHERE photometry_kind = :kind ORDER BY season"
# The digests of the rows of a cell together do not depend on their order.
_CONTENT = """
SELECT object_id >> {shift} AS cell, CAST(sum({weight}) AS bigint), bit_xor({digest})
FROM ({query}) AS content GROUP BY cell ORDER BY cell
"""


@dataclass(frozen=True)
class Query:
    """A query with its parameters bound, and the schema of its rows."""

    sql: str
    schema: pa.Schema


@dataclass(frozen=True)
class Source:
    """Rows with an ``object_id`` on which the content of tiles depends.

    Parameters
    ----------
    query
        Rows that tell one state of what is exported from another.
    weight
        What a row adds to the weight of its tile, an expression.
    digest
        Number that tells a row from any other, and from itself as it was before, an expression; by default of
        all its columns.
    """

    query: Query
    weight: str = "0"
    digest: str = "hash_record_extended(content, 0)"


@dataclass(frozen=True)
class Cells:
    """What cells of the sky hold: nested pixels of an order, ascending, weights and digests of their rows."""

    order: int
    cell: IntArray
    weight: IntArray
    digest: IntArray


class Snapshot:
    """One state of the database, which several threads read side by side; made by `open_snapshot`."""

    def __init__(self, connection: sa.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def query(self, file: str, **values: object) -> Query:
        """Query of a file of ``queries/exports/hats`` with its parameters bound."""
        return self._described(bound(file, **values))

    def elements(self) -> list[str]:
        """Optical elements in which objects have fluxes."""
        return list(self._connection.execute(sa.text(_ELEMENTS)).scalars())

    def product(self, table: str, name: str, kind: str) -> Query:
        """Rows of a product of ``queries/exports`` of all surveys and seasons in which a table has any."""
        seasons = self._connection.execute(sa.text(_SEASONS.format(table)), {"kind": kind}).scalars().all()
        file = sqlfile.find("exports", name)
        each = {"survey": None, "kind": kind}
        texts = [file.bind(each | {"season": season}) for season in seasons or [-1]]
        query = self._described("\nUNION ALL\n".join(f"({text}\n)" for text in texts))
        return Query(query.sql, with_units(query.schema, file))

    def fields(self, relation: str) -> pa.Schema:
        """Schema of a table or view; its columns must all be of types that are read."""
        return self._described(f"SELECT * FROM {relation}").schema

    def _described(self, sql: str) -> Query:
        """Query whose columns have unit, UCD and description as metadata."""
        columns = describe(self._connection, sql)
        return Query(sql, pa.schema([arrow_field(column, arrow_type(column.type_oid)) for column in columns]))

    def cells(self, order: int, sources: Sequence[Source]) -> Cells:
        """What cells of an order hold of all sources together."""
        found = [self._content(order, source) for source in sources]
        cell = np.unique(np.concatenate([one.cell for one in found]))
        weight, digest = np.zeros(cell.size, np.int64), np.zeros(cell.size, np.int64)
        for one in found:
            place = np.searchsorted(cell, one.cell)
            weight[place] += one.weight
            digest[place] ^= one.digest
        return Cells(order, cell, weight, digest)

    def _content(self, order: int, source: Source) -> Cells:
        """What cells hold of one source."""
        values = {"weight": source.weight, "digest": source.digest, "query": source.query.sql}
        sql = _CONTENT.format(shift=2 * (FINEST - order), **values)
        rows = self._connection.exec_driver_sql(sql, execution_options={"no_parameters": True}).all()
        columns = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3)
        return Cells(order, *columns.T.copy())

    def lock(self, place: str) -> bool:
        """Keep others from exporting to a place until the snapshot ends; False if somebody does already."""
        query = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:place, 0))")
        return bool(self._connection.execute(query, {"place": place}).scalar_one())

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Connection that sees the same state."""
        with session.reading(snapshot=self._name) as connection:
            yield Reader(connection)


class Reader:
    """A connection of a snapshot."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def read(self, sql: str, schema: pa.Schema) -> pa.Table:
        """All rows of a query with this schema.

        Raises
        ------
        QueryError
            If the server refuses it, or goes away.
        """
        try:
            return read_table(self._connection, sql, schema)
        except psycopg2.Error as error:
            raise QueryError(explained(str(error))) from error

    def within(self, query: Query, ranges: IntArray) -> pa.Table:
        """Rows of a query whose ``object_id`` is in one of some half-open ranges, shape (n, 2)."""
        among = " OR ".join(f"object_id >= {first} AND object_id < {end}" for first, end in ranges.tolist())
        return self.read(f"SELECT * FROM ({query.sql}) AS within WHERE {among or 'false'}", query.schema)


def bound(file: str, **values: object) -> str:
    """Text of a file of ``queries/exports/hats`` with its parameters bound."""
    return sqlfile.find(_FOLDER, file).bind(values)


@contextlib.contextmanager
def open_snapshot() -> Iterator[Snapshot]:
    """Keep one state of the database while the context lasts."""
    # Readers may take no advisory locks.
    with session.reading(session.Role.LOADER) as connection:
        yield Snapshot(connection, connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one())
