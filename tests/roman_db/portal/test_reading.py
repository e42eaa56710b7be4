"""Questions of pages: one that fails is asked again where its server has gone, and only there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from adbc_driver_manager import dbapi

from roman_db.portal import reading
from tests.roman_db.conftest import execute


@pytest.fixture
def ask(database, monkeypatch):
    """Function that asks SQL; `made` says how many connections were made for that."""
    reading.forget()
    monkeypatch.setattr(reading, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(reading, "_file", lambda sql: SimpleNamespace(bind=lambda _: sql))

    class Counted(reading._Connected):
        n = 0

        def __init__(self) -> None:
            Counted.n += 1
            super().__init__()

    monkeypatch.setattr(reading, "_Connected", Counted)
    yield lambda sql: reading.arrays(sql).to_pylist()[0], lambda: Counted.n
    reading.forget()


def test_what_takes_too_long_is_not_asked_again(ask):
    rows, made = ask
    assert rows("SELECT 1 AS a") == {"a": 1}
    with pytest.raises(dbapi.Error, match="statement timeout"):
        rows("SELECT pg_sleep(20)")
    assert made() == 1


def test_where_the_server_has_gone_it_is_asked_again(ask, database):
    rows, made = ask
    process = rows("SELECT pg_backend_pid() AS pid")["pid"]
    execute(database, f"SELECT pg_terminate_backend({process}, 5000)")
    assert rows("SELECT 1 AS a") == {"a": 1}
    assert made() == 2
