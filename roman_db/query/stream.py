"""Results as a stream of Arrow batches: however large a result, no more than a batch of it is in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_manager import dbapi

from roman_db import session
from roman_db.asker import milliseconds
from roman_db.query.columns import ResultColumn, describe
from roman_db.query.error import QueryError, explained
from roman_db.query.statement import Statement

NUMERIC, BYTEA, TEXT_ARRAY = 1700, 17, 1009
#: Types (numbers of ``pg_type``) with a counterpart in Arrow: boolean, integers, reals, text, bytes, times;
#: and arrays of booleans, integers, reals and text.
_SCALARS = (16, 21, 23, 20, 700, 701, 25, 1043, 1042, 19, BYTEA, 1082, 1114, 1184)
_ARRAYS = (1000, 1005, 1007, 1016, 1021, 1022, TEXT_ARRAY, 1015)
_PLAIN = frozenset((*_SCALARS, *_ARRAYS))
#: What else is cast on the server; what stands in neither becomes text.
_CASTS = {NUMERIC: "double precision", 1231: "double precision[]", 26: "bigint"}
#: Where the driver's option to fetch by COPY is turned off, for statements that COPY does not take.
_WITHOUT_COPY = {"adbc.postgresql.use_copy": "false"}


@dataclass(frozen=True)
class Request:
    """What is asked.

    Parameters
    ----------
    statement
        The statement, its parameters bound already or without any.
    max_rows
        Most rows to give; None for all.
    timeout_s
        Seconds after which the server gives up; 0 for never.
    casts
        SQL types to which types (numbers of ``pg_type``) are cast for the sake of a format.
    """

    statement: Statement
    max_rows: int | None = None
    timeout_s: float = 0
    casts: Mapping[int, str] = field(default_factory=dict)


@dataclass
class Result:
    """An answer while it streams.

    Parameters
    ----------
    sql
        What was asked.
    schema
        Arrow schema; fields carry unit, UCD and description as metadata.
    batches
        The rows; to be read once.
    n_row
        Rows read so far.
    is_cut
        Whether there were more rows than asked for; known when all are read.
    """

    sql: str
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    n_row: int = 0
    is_cut: bool = False


@contextlib.contextmanager
def open_result(request: Request) -> Iterator[Result]:
    """Run a query and stream its result while the context lasts.

    Raises
    ------
    QueryError
        If the server refuses the query, also while rows are read.
    """
    columns, sql = _prepare(request)
    options = None if request.statement.is_query else _WITHOUT_COPY
    with (
        session.arrow_connection(session.Role.READER, request.timeout_s) as connection,
        connection.cursor(adbc_stmt_kwargs=options) as cursor,
    ):
        try:
            with _translated():
                cursor.execute(sql)
                reader = cursor.fetch_record_batch()
            columns = columns or tuple(ResultColumn(name, 25) for name in reader.schema.names)
            result = Result(request.statement.text, _schema(reader.schema, columns))
            result.batches = _batches(reader, result, request.max_rows)
            yield result
        finally:
            # Closing the cursor alone would read the rest of the rows first.
            cursor.adbc_cancel()


def _prepare(request: Request) -> tuple[tuple[ResultColumn, ...], str]:
    """Describe the query, and write it with the casts and the limit."""
    text = request.statement.text
    if not request.statement.is_query:
        return (), text
    with session.reading() as connection:
        _limit_time(connection, request.timeout_s)
        columns = describe(connection, text)
    casts = _CASTS | dict(request.casts)
    inner = [f"c{number}" for number in range(len(columns))]
    outer = [
        f"{_cast(name, column.type_oid, casts)} AS {_quoted(column.name)}"
        for name, column in zip(inner, columns, strict=True)
    ]
    # One row more than asked for, to see whether there are more.
    limit = "" if request.max_rows is None else f" LIMIT {request.max_rows + 1}"
    sql = f"SELECT {', '.join(outer)} FROM (\n{text}\n) AS result ({', '.join(inner)}){limit}"
    return columns, sql


def _limit_time(connection: sa.Connection, timeout_s: float) -> None:
    """Have the server give up planning a statement, too."""
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds(timeout_s)}")


def _cast(name: str, type_oid: int, casts: Mapping[int, str]) -> str:
    """Column in a type that has a counterpart in Arrow."""
    target = casts.get(type_oid, None if type_oid in _PLAIN else "text")
    return name if target is None else f"CAST({name} AS {target})"


def _quoted(name: str) -> str:
    """Name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _schema(plain: pa.Schema, columns: tuple[ResultColumn, ...]) -> pa.Schema:
    """Arrow schema with what is known of the columns."""
    return pa.schema(
        [arrow_field(column, field.type) for column, field in zip(columns, plain, strict=True)],
    )


def arrow_field(column: ResultColumn, arrow_type: pa.DataType) -> pa.Field:
    """Field with unit, UCD and description as metadata; elements of lists without the driver's notes."""
    if pa.types.is_list(arrow_type):
        arrow_type = pa.list_(pa.field("item", arrow_type.value_type))
    known = {"unit": column.unit, "ucd": column.ucd, "description": column.description}
    metadata = {key: value for key, value in known.items() if value}
    return pa.field(column.name, arrow_type, metadata=metadata)


def _batches(reader: pa.RecordBatchReader, result: Result, max_rows: int | None) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a result with its schema, up to the limit."""
    while True:
        with _translated():
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
        if max_rows is not None and result.n_row + batch.num_rows > max_rows:
            result.is_cut = True
            batch = batch.slice(0, max_rows - result.n_row)
        result.n_row += batch.num_rows
        yield pa.RecordBatch.from_arrays(
            [array.cast(field.type) for array, field in zip(batch.columns, result.schema, strict=True)],
            schema=result.schema,
        )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Say an error of the server in its words; while rows are read it comes as an OSError or one of Arrow."""
    try:
        yield
    except (dbapi.Error, OSError, pa.ArrowException) as error:
        raise QueryError(explained(str(error))) from error
