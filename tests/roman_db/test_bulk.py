"""Rows in bulk: copied, staged and upserted."""

import numpy as np
import psycopg2
import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.bulk import column_types, copy_rows, stage_rows, upsert_rows
from roman_db.schema.metadata import metadata

from .conftest import execute


def surveys(url):
    return execute(url, "SELECT survey, description FROM roman.survey WHERE survey LIKE 's%' ORDER BY 1")


def upsert(table, columns):
    with session.transaction() as connection:
        return upsert_rows(connection, table, columns)


def test_upsert_inserts_updates_and_leaves_the_rest_alone(database):
    assert upsert("roman.survey", {"survey": ["s1", "s2"], "description": ["one", "two"]}) == 2
    assert upsert("roman.survey", {"survey": ["s2", "s3"], "description": ["zwei", "drei"]}) == 2
    assert surveys(database) == [("s1", "one"), ("s2", "zwei"), ("s3", "drei")]


def test_columns_that_are_not_given_keep_their_values(database):
    upsert("roman.season", {"survey": ["gbtds"], "season": [1], "start_mjd": [61400], "end_mjd": [61500]})
    rows = execute(database, "SELECT count(*), min(start_mjd) FROM roman.season WHERE survey = 'gbtds'")
    assert rows == [(6, 61400)]


def test_a_table_of_keys_alone(database):
    """Upserting what is there does nothing."""
    execute(database, "CREATE TABLE roman.lone (a integer PRIMARY KEY)")
    lone = sa.Table("lone", metadata(), sa.Column("a", sa.Integer, primary_key=True), schema="roman")
    execute(database, "GRANT ALL ON roman.lone TO roman_loader")
    try:
        upsert("roman.lone", {"a": [1, 2]})
        upsert("roman.lone", {"a": [2, 3]})
    finally:
        metadata().remove(lone)
    assert execute(database, "SELECT a FROM roman.lone ORDER BY 1") == [(1,), (2,), (3,)]


def test_a_key_twice_in_one_upsert_is_refused(database):
    with pytest.raises(sa.exc.ProgrammingError, match="a second time"):
        upsert("roman.survey", {"survey": ["s1", "s1"], "description": ["one", "other"]})
    assert surveys(database) == []


def test_nothing_remains_of_an_upsert_that_fails(database):
    with pytest.raises(sa.exc.IntegrityError):
        upsert("roman.survey", {"survey": ["s1", "s2"], "description": ["one", None]})
    assert surveys(database) == []


def test_two_upserts_in_one_transaction(database):
    with session.transaction() as connection:
        upsert_rows(connection, "roman.survey", {"survey": ["s1"], "description": ["one"]})
        upsert_rows(connection, "roman.survey", {"survey": ["s1"], "description": ["uno"]})
    assert surveys(database) == [("s1", "uno")]


def test_no_rows(database):
    assert upsert("roman.survey", {"survey": [], "description": []}) == 0


def test_many_rows(database):
    n = 100_000
    columns = {"survey": [f"s{i:06d}" for i in range(n)], "description": ["x"] * n}
    with session.transaction() as connection:
        assert copy_rows(connection, "roman.survey", columns) == n
    assert len(surveys(database)) == n


def test_columns_of_different_lengths_are_refused(database):
    message = (
        r"columns of roman.survey must have the same number of rows, got {'survey': 2, 'description': 1}"
    )
    with pytest.raises(ValueError, match=message), session.transaction() as connection:
        copy_rows(connection, "roman.survey", {"survey": ["s1", "s2"], "description": ["one"]})


def test_a_failing_copy_leaves_the_connection_usable(database):
    with pytest.raises(psycopg2.errors.UniqueViolation), session.transaction() as connection:
        copy_rows(connection, "roman.survey", {"survey": ["gbtds"], "description": ["again"]})
    assert execute(database, "SELECT count(*) FROM roman.survey") == [(2,)]


def test_every_table_can_be_staged(database):
    """Column names that SQL reserves among them; the types are those that the server has."""
    query = """
        SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped
    """
    for name, described in metadata().tables.items():
        types = column_types(name, list(described.columns.keys()))
        with session.transaction() as connection:
            assert stage_rows(connection, "staged", types, {column: [None] for column in types}) == 1
            rows = connection.execute(sa.text(query), {"name": name}).all()
            assert {row[0]: row[1] for row in rows} == types


def test_a_staged_table_ends_with_its_transaction(database):
    with session.transaction() as connection:
        stage_rows(connection, "staged", {"a": "bigint"}, {"a": np.arange(3)})
        stage_rows(connection, "staged", {"b": "text"}, {"b": ["again"]})
        assert connection.execute(sa.text("SELECT b FROM staged")).scalars().all() == ["again"]
    with pytest.raises(sa.exc.ProgrammingError, match="does not exist"), session.transaction() as connection:
        connection.execute(sa.text("SELECT * FROM staged"))
