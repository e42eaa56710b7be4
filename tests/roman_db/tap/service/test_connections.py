"""A query's connection may read the catalog, and nothing else."""

from __future__ import annotations

import pytest
from adbc_driver_manager import dbapi

from roman_db.failure import TooLong
from roman_db.tap.connections import Held, QueryLimits
from roman_db.tap.parameters import Limits
from roman_db.tap.prepared import RequestLimits, prepared
from roman_db.tap.sending import Sending
from roman_db.tap.uploads.reading import UploadLimits
from tests.roman_db.conftest import forget, point_at


@pytest.fixture
def held(service_database, monkeypatch):
    """Connection of the service."""
    point_at(service_database, monkeypatch)
    held = Held(QueryLimits(timeout_s=0.7, memory_mb=33))
    yield held
    held.close()
    forget()


@pytest.fixture
def cursor(held):
    with held.connection.cursor() as cursor:
        yield cursor


def test_a_query_that_takes_too_long_is_ended(held):
    query = "SELECT COUNT(*) AS n FROM " + ", ".join(f"roman.visit AS v{number}" for number in range(6))
    limits = RequestLimits(Limits(10, 10), UploadLimits(10, 10, 10))
    asked = prepared([("LANG", "ADQL"), ("QUERY", query)], {}, limits)
    with pytest.raises(TooLong, match=r"longer than the 0\.7 s"):
        Sending(asked, held, 0.7).begin()


def test_it_is_a_reader_with_limits(cursor):
    settings = ("statement_timeout", "work_mem", "temp_file_limit", "transaction_read_only", "timezone")
    chosen = ", ".join(f"current_setting('{name}')" for name in settings)
    cursor.execute(f"SELECT current_user::text, {chosen}")
    assert cursor.fetchone() == ("roman_reader", "700ms", "33MB", "20GB", "on", "UTC")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM roman.visit",
        "CREATE TEMPORARY TABLE mine (a int)",
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
def test_the_server_refuses_all_else(cursor, statement):
    with pytest.raises(dbapi.Error, match=r"read-only transaction|permission denied"):
        cursor.execute(statement)
