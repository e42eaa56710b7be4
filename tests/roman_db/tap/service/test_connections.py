"""A query's connection may read the catalog, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from adbc_driver_manager import dbapi

from roman_db.asker import Asker
from roman_db.service_failure import TooLong, TooMuch
from roman_db.tap import connections
from roman_db.tap.accounting import give_role
from roman_db.tap.connections import Connections, Held, QueryLimits
from roman_db.tap.parameters import Limits
from roman_db.tap.prepared import RequestLimits, prepared
from roman_db.tap.sending import Sending
from roman_db.tap.uploads.limits import UploadLimits
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


def test_a_fits_file_that_grows_beyond_its_room_is_given_up_while_it_is_kept_on_disk(held):
    limits = RequestLimits(Limits(10**6, 10**6), UploadLimits(10, 10, 10))
    query = "SELECT a.visit_id AS a, b.visit_id AS b FROM roman.visit AS a, roman.visit AS b"
    given = [("LANG", "ADQL"), ("QUERY", query), ("RESPONSEFORMAT", "fits")]
    asked = prepared(given, {}, limits)
    first, _ = Sending(asked, held, 0.7).begin()
    assert first.startswith(b"SIMPLE")
    with pytest.raises(TooMuch, match="more than the 1,000 bytes"):
        Sending(dataclasses.replace(asked, most_bytes=1000), held, 0.7).begin()


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


def test_the_limits_of_an_account_go_with_it_when_a_connection_is_given_back(service_database, monkeypatch):
    """Of the description at once, of the server's session before somebody has it who brings no role."""
    point_at(service_database, monkeypatch)
    usual, accounts = QueryLimits(9, 16), QueryLimits(3, 8, "research")
    chosen = ("statement_timeout", "work_mem", "temp_file_limit")

    async def scenario() -> list[tuple[str, ...]]:
        connections, found = Connections(1, usual), []
        async with connections.lent(keeps_role=True) as held:
            give_role(held, Asker("roman_tier_research", 3, 8, "research"))
            held.limits = accounts
            found.append(_settings(held, chosen))
        assert held.limits == usual
        async with connections.lent() as again:
            assert (again, again.limits) == (held, usual)
            found.append(_settings(again, chosen))
        await connections.close()
        return found

    assert asyncio.run(scenario()) == [
        ("roman_tier_research", "3s", "8MB", "48828125kB"), ("roman_reader", "9s", "16MB", "20GB")
    ]  # fmt: skip
    forget()


def test_a_connection_is_given_a_role_once_and_keeps_it_when_it_is_made_anew(service_database, monkeypatch):
    point_at(service_database, monkeypatch)
    held, asker = Held(QueryLimits(9, 16)), Asker("roman_tier_research", 3, 8, "research")
    give_role(held, asker)
    held.is_used = True
    with monkeypatch.context() as patch:
        patch.setattr(connections, "assume", lambda *_: pytest.fail("it was given the role again"))
        give_role(held, asker)
    held.reconnect()
    assert _settings(held, ("statement_timeout",)) == ("roman_tier_research", "3s")
    give_role(held, dataclasses.replace(asker, seconds=4))
    assert _settings(held, ("statement_timeout",)) == ("roman_tier_research", "4s")
    held.close()
    forget()


def _settings(held: Held, names: tuple[str, ...]) -> tuple[str, ...]:
    listed = ", ".join(f"current_setting('{name}')" for name in names)
    with held.connection.cursor() as cursor:
        cursor.execute(f"SELECT current_user::text, {listed}")
        return cursor.fetchone()
