"""Rows read by binary COPY, held against what psycopg2 makes of the same query."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from roman_db import session
from roman_db.copy_read import UnknownType, arrow_type, read_table
from roman_db.query.columns import describe

QUERY = """
SELECT * FROM (VALUES
    (true, -7::smallint, 70000, -5000000000, 1.5::real, -2.25::double precision, 'München',
     ARRAY[1.5, 'NaN']::real[], ARRAY[-1, 5000000000]::bigint[], ARRAY[]::double precision[]),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (false, 32767::smallint, -1, 9223372036854775807, 'Infinity', 'NaN', '', ARRAY[NULL, 2]::real[], '{}',
     ARRAY[0.1]::double precision[])
) AS rows (flag, small, medium, large, single, double, text, singles, larges, doubles)
"""


def read(sql: str) -> pa.Table:
    with session.reading() as connection:
        columns = describe(connection, sql)
        schema = pa.schema([(column.name, arrow_type(column.type_oid)) for column in columns])
        return read_table(connection, sql, schema)


def comparable(value: object) -> object:
    """NaN and what is empty in an array as words, as they are equal to nothing."""
    if isinstance(value, list):
        return [comparable(math.nan if one is None else one) for one in value]
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def test_every_type_is_as_psycopg2_reads_it(database):
    with session.reading() as connection:
        stored = [dict(row) for row in connection.exec_driver_sql(QUERY).mappings()]
    found = read(QUERY).to_pylist()
    assert [[comparable(one) for one in row.values()] for row in found] == [
        [comparable(one) for one in row.values()] for row in stored
    ]


def test_no_rows_are_a_table_without_rows(database):
    table = read(f"SELECT * FROM ({QUERY}) AS nothing WHERE false")
    assert table.num_rows == 0
    assert table.column_names[:2] == ["flag", "small"]


def test_a_type_without_counterpart_is_named(database):
    with pytest.raises(UnknownType, match="type 1700"):
        read("SELECT 1.5 AS number")
