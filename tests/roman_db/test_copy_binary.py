"""Values of every type through a real server: what comes back is what went in, or it is refused."""

import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import psycopg2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roman_db.bulk import column_types
from roman_db.copy_binary import ChunkReader, encode_column, encode_rows
from roman_db.schema.metadata import metadata

_MORE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def cursor(cluster_url):
    with closing(psycopg2.connect(cluster_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET timezone = 'UTC'")
            cursor.execute("SET extra_float_digits = 3")
            yield cursor


def through_server(cursor, sql_type, values, shown="value"):
    """Send a column and read it back by psycopg2's text protocol, which knows nothing of ours."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.sent")
    cursor.execute(f"CREATE TEMPORARY TABLE sent (number integer, value {sql_type})")
    columns = [encode_column(np.arange(len(values)), "integer"), encode_column(values, sql_type)]
    cursor.copy_expert("COPY sent FROM STDIN (FORMAT binary)", ChunkReader(encode_rows(columns)))
    cursor.execute(f"SELECT {shown} FROM sent ORDER BY number")
    return [row[0] for row in cursor.fetchall()]


def with_none(values):
    return st.lists(st.none() | values, max_size=20)


@pytest.mark.parametrize(("sql_type", "bits"), [("smallint", 16), ("integer", 32), ("bigint", 64)])
@_MORE
@given(data=st.data())
def test_integers(cursor, sql_type, bits, data):
    values = data.draw(with_none(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)))
    assert through_server(cursor, sql_type, values) == values


@_MORE
@given(values=with_none(st.floats()))
@example(values=[np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308, np.nan, None])
def test_doubles(cursor, values):
    found = through_server(cursor, "double precision", values)
    assert found == [None if value is None or np.isnan(value) else value for value in values]


@_MORE
@given(values=st.lists(st.floats(width=32), max_size=20))
def test_reals(cursor, values):
    array = np.array(values, "f4")
    found = through_server(cursor, "real", array, "value::float8")
    assert found == [None if np.isnan(value) else float(value) for value in array]


@_MORE
@given(values=with_none(st.booleans()))
def test_booleans(cursor, values):
    assert through_server(cursor, "boolean", values) == values


_moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))


@_MORE
@given(values=with_none(_moments.map(lambda moment: moment.replace(tzinfo=UTC))))
def test_moments(cursor, values):
    assert through_server(cursor, "timestamp with time zone", values) == values
    array = np.array([None if v is None else v.replace(tzinfo=None) for v in values], "datetime64[us]")
    assert through_server(cursor, "timestamp with time zone", array) == values


def test_moments_of_any_zone_and_of_none(cursor, monkeypatch):
    """Whatever the zone of the machine."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    east = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    found = through_server(cursor, "timestamp with time zone", [east, datetime(2026, 11, 21, 12)])
    assert found == [datetime(2026, 11, 21, 6, 30, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)]


_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@_MORE
@given(values=with_none(_text))
@example(values=["", "\\N", "\\.", "tab\tline\nreturn\r", "'\"", "Ω–☉𝔘", "NULL", None])
def test_text(cursor, values):
    assert through_server(cursor, "text", values) == values


@_MORE
@given(values=with_none(st.binary(max_size=50)))
def test_bytes(cursor, values):
    found = through_server(cursor, "bytea", values)
    assert [None if value is None else bytes(value) for value in found] == values


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


@_MORE
@given(values=st.lists(st.dictionaries(_text, _json, max_size=3), max_size=5))
def test_json(cursor, values):
    assert through_server(cursor, "jsonb", values) == values
    assert [json.loads(text) for text in through_server(cursor, "jsonb", values, "value::text")] == values


@pytest.mark.parametrize(
    "sql_type",
    [
        "bigint[]",
        "real[]",
        *(
            pytest.param(one, marks=pytest.mark.heavy)
            for one in ("integer[]", "smallint[]", "double precision[]")
        ),
    ],
)
@_MORE
@given(data=st.data())
def test_arrays(cursor, sql_type, data):
    kind = {"big": "i8", "int": "i4", "sma": "i2", "rea": "f4", "dou": "f8"}[sql_type[:3]]
    info = np.iinfo(kind) if kind[0] == "i" else None
    elements = st.floats(width=8 * int(kind[1])) if info is None else st.integers(info.min, info.max)
    values = data.draw(with_none(st.lists(elements, max_size=8).map(lambda drawn: np.array(drawn, kind))))
    shown = "value::float8[]" if kind == "f4" else "value"
    for found, sent in zip(through_server(cursor, sql_type, values, shown), values, strict=True):
        assert (found is None) == (sent is None)
        if sent is not None:
            np.testing.assert_array_equal(np.array(found, kind), sent)


@_MORE
@given(edges=st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=12))
@example(edges=[])
def test_multiranges(cursor, edges):
    ranges = np.array(sorted(edges)[: len(edges) // 2 * 2], np.int64).reshape(-1, 2)
    (found,) = through_server(cursor, "int8multirange", [ranges.tolist()], "value::text")
    assert found == "{" + ",".join(f"[{low},{high})" for low, high in ranges.tolist()) + "}"


def test_masked_arrays_and_missing_moments_are_null(cursor):
    masked = np.ma.MaskedArray([1, 2, 3], [False, True, False])
    assert through_server(cursor, "bigint", masked) == [1, None, 3]
    assert through_server(cursor, "real", np.ma.MaskedArray([1.0, 2.0], [True, False])) == [None, 2.0]
    assert through_server(cursor, "text", np.ma.MaskedArray(["a", "b"], [True, False])) == [None, "b"]
    assert through_server(cursor, "timestamp with time zone", np.array(["NaT"], "datetime64[ns]")) == [None]


def test_strided_and_foreign_byte_orders(cursor):
    values = np.arange(20, dtype=">i4")[::-3]
    assert through_server(cursor, "integer", values) == values.tolist()


def test_integers_given_as_floating_point_numbers(cursor):
    assert through_server(cursor, "bigint", np.array([1.0, np.nan, -3.0])) == [1, None, -3]


def test_many_rows(cursor):
    n = 200_000
    columns = [encode_column(np.arange(n), "integer"), encode_column([f"row {i}" for i in range(n)], "text")]
    cursor.execute("CREATE TEMPORARY TABLE many (number integer, name text)")
    cursor.copy_expert("COPY many FROM STDIN (FORMAT binary)", ChunkReader(encode_rows(columns)), size=8191)
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE name = 'row ' || number) FROM many")
    assert cursor.fetchone() == (n, n)


@pytest.mark.parametrize(
    ("sql_type", "values", "message"),
    [
        ("smallint", [32768], "values from 32768 to 32768 do not fit smallint"),
        ("smallint", np.array([-40000, 5]), "values from -40000 to 5 do not fit smallint"),
        ("integer", np.array([2**31]), "do not fit integer"),
        ("bigint", np.array([2**63], "u8"), "do not fit bigint"),
        ("bigint", np.array([2.0**63]), "do not fit bigint"),
        ("bigint", [2**70, None], "do not fit bigint"),
        ("bigint", np.array([np.inf]), "do not fit bigint"),
        ("integer", np.array([1.0, 2.5]), "2.5 is no integer"),
        ("real", np.array([1e39, np.inf]), "do not fit real"),
        ("smallint[]", [np.array([1, 70000])], "do not fit smallint"),
        ("real[]", [np.array([1e39])], "do not fit real"),
        ("bigint[]", [[1, None]], "no NULL"),
        ("bigint[]", [np.zeros((2, 2), int)], "one dimension"),
        ("jsonb", [{"a": float("nan")}], "not JSON compliant"),
        ("point", ["(1,2)"], "no binary encoding for type 'point'"),
    ],
)
def test_what_does_not_fit_is_refused(sql_type, values, message):
    with pytest.raises(ValueError, match=message):
        encode_column(values, sql_type)


@pytest.mark.parametrize("name", sorted(metadata().tables))
def test_every_column_of_the_schema_has_an_encoding(name):
    described = metadata().tables[name]
    for column, sql_type in column_types(name, [column.name for column in described.columns]).items():
        assert encode_column([None], sql_type).length.tolist() == [-1], column


def test_chunks_of_any_size_are_read_as_one_stream():
    reader = ChunkReader(iter([memoryview(b"abc"), memoryview(b""), memoryview(b"defg")]))
    assert [reader.read(2), reader.read(2), reader.read(-1), reader.read(1), reader.read()] == [
        b"ab", b"c", b"defg", b"", b"",
    ]  # fmt: skip


@given(io_sizes=st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_nothing_is_lost_between_chunks(io_sizes):
    chunks = [bytes([65 + i]) * size for i, size in enumerate(io_sizes)]
    reader, out = ChunkReader(memoryview(chunk) for chunk in chunks), io.BytesIO()
    while part := reader.read(4):
        assert len(part) <= 4
        out.write(part)
    assert out.getvalue() == b"".join(chunks)
