"""Segments through a real server: what comes back is bit for bit what went in."""

import io
from contextlib import closing

import numpy as np
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.light_curve.decode import decode_rows, fill_flags, fill_reals
from loaders.light_curve.encode import SegmentRows, encode_segments
from loaders.light_curve.flag_run import encode_flag_run
from roman_db.copy_binary import HEADER, TRAILER
from tests.loaders.light_curve import strategies

_TABLE = "object_id bigint, block_id bigint, start_mjd integer, a real[], b real[], flag_run bigint[]"


@pytest.fixture(scope="module")
def cursor(cluster_url):
    with closing(psycopg2.connect(cluster_url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE segment ({_TABLE})")
        yield cursor


def send(cursor, rows, n_column=6):
    stream = b"".join([HEADER, *(bytes(chunk) for chunk in encode_segments(rows)), TRAILER])
    cursor.execute("TRUNCATE segment")
    names = ["object_id", "block_id", "start_mjd", "a", "b", "flag_run"][:n_column]
    cursor.copy_expert(f"COPY segment ({', '.join(names)}) FROM STDIN (FORMAT binary)", io.BytesIO(stream))


def fetch(cursor, query):
    out = io.BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", out)
    return out.getvalue()


@st.composite
def blocks(draw):
    shape = draw(strategies.shapes)
    identifiers = st.lists(st.integers(0, 2**60), min_size=shape[0], max_size=shape[0], unique=True)
    return SegmentRows(
        np.array(sorted(draw(identifiers)), np.int64),
        draw(st.integers(-(2**63), 2**63 - 1)),
        draw(st.integers(-(2**31), 2**31 - 1)),
        (draw(strategies.reals(shape)), draw(strategies.reals(shape))),
        encode_flag_run(draw(strategies.flags(shape))),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=blocks())
def test_round_trip(cursor, rows):
    send(cursor, rows)
    found = decode_rows(fetch(cursor, "SELECT object_id, block_id, a, b, flag_run FROM segment"), 2, True)
    order = np.argsort(found.object_id)
    assert found.object_id[order].tolist() == rows.object_id.tolist()
    assert set(found.block_id.tolist()) == {rows.block_id}
    shape = rows.arrays[0].shape
    target = np.argsort(order), np.zeros(shape[0], np.int64)
    columns = np.arange(shape[1]), np.array([0, shape[1]])
    for which, sent in enumerate(rows.arrays):
        out = np.zeros(shape, np.float32)
        fill_reals(found, which, target, columns, out)
        np.testing.assert_array_equal(out.view("u4"), sent.view("u4"))
    flags = np.zeros(shape, np.uint16)
    fill_flags(found, target, columns, flags)
    assert encode_flag_run(flags).run.tolist() == rows.flag_runs.run.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(rows=blocks())
def test_the_server_reads_the_same_as_numpy(cursor, rows):
    """Through psycopg2's text protocol, which knows nothing of ours."""
    send(cursor, rows)
    cursor.execute(
        "SELECT object_id, block_id, start_mjd, a::float8[], flag_run FROM segment ORDER BY object_id"
    )
    for i, (object_id, block_id, start_mjd, a, flag_run) in enumerate(cursor.fetchall()):
        assert (object_id, block_id, start_mjd) == (rows.object_id[i], rows.block_id, rows.start_mjd)
        np.testing.assert_array_equal(np.array(a, "f8"), rows.arrays[0][i].astype("f8"))
        runs = rows.flag_runs.run[rows.flag_runs.start[i] : rows.flag_runs.start[i + 1]].tolist()
        assert (flag_run or []) == runs


def test_more_rows_than_a_chunk_and_no_flags(cursor):
    n = 20_000
    values = np.arange(3 * n, dtype="f4").reshape(n, 3)
    rows = SegmentRows(np.arange(n), 1, 2, (values, -values))
    assert len(list(encode_segments(rows))) > 2
    send(cursor, rows, n_column=5)
    right = "a[1] = 3 * object_id AND b[3] = -3 * object_id - 2 AND flag_run IS NULL"
    cursor.execute(f"SELECT count(*), count(*) FILTER (WHERE {right}) FROM segment")
    assert cursor.fetchone() == (n, n)


def test_epochs_of_blocks_go_to_the_columns_they_are_told(cursor):
    """Two blocks of two and one epoch, interleaved in time."""
    flags = encode_flag_run(np.array([[0, 3]], "u2"))
    send(cursor, SegmentRows(np.array([5]), 1, 0, [np.array([[1, 3]], "f4")] * 2, flags))
    found = decode_rows(fetch(cursor, "SELECT object_id, block_id, a, flag_run FROM segment"), 1, True)
    out, bits = np.zeros((1, 3), "f4"), np.zeros((1, 3), "u2")
    place = np.array([0]), np.array([1])
    columns = np.array([1, 0, 2]), np.array([0, 1, 3])
    fill_reals(found, 0, place, columns, out)
    fill_flags(found, place, columns, bits)
    assert out.tolist() == [[1, 0, 3]]
    assert bits.tolist() == [[0, 0, 3]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([np.zeros((2, 3))], "must be float32, got \\['float64'\\]"),
        ([np.zeros((2, 3), "f4"), np.zeros((2, 4), "f4")], "one shape, got \\[\\(2, 3\\), \\(2, 4\\)\\]"),
        ([np.zeros((3, 3), "f4")], "2 objects need"),
    ],
)
def test_what_would_be_written_wrong_is_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        SegmentRows(np.arange(2), 1, 1, arrays)
