"""Connections of uploads that are used again: the next sees none of the tables and has its own limits."""

from __future__ import annotations

import pyarrow as pa
import pytest

from roman_db.service_failure import Lost
from roman_db.tap.connections import Held, QueryLimits, Spares
from roman_db.tap.uploads.upload import Column, made_upload
from tests.roman_db.conftest import forget, point_at
from tests.roman_db.tap.service.waiting import eventually

_LIMITS = QueryLimits(timeout_s=20, memory_mb=16)


def upload(*names: str):
    """Table with some columns of three rows."""
    return made_upload("mine", 0, list(map(Column, names)), pa.table({one: [1, 2, 3] for one in names}))


def answer(held: Held, sql: str) -> list[tuple]:
    with held.connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.fixture
def spares(service_database, monkeypatch):
    """Place for two connections."""
    point_at(service_database, monkeypatch)
    kept = Spares(2)
    yield kept
    kept.close()
    forget()


def test_a_connection_is_used_again_without_its_tables(spares):
    first = spares.with_uploads(_LIMITS, [upload("a", "b")])
    process = answer(first, "SELECT pg_backend_pid()")
    assert answer(first, "SELECT max(b) FROM pg_temp.upload_0") == [(3,)]
    first.give_back()
    second = spares.with_uploads(QueryLimits(7, 9, "research"), [upload("c")])
    assert answer(second, "SELECT pg_backend_pid()") == process
    assert answer(second, "SELECT * FROM pg_temp.upload_0 ORDER BY c") == [(1,), (2,), (3,)]
    limits = "SELECT current_setting('statement_timeout'), current_setting('work_mem'), current_user::text, "
    limits += "current_setting('transaction_read_only'), current_setting('temp_file_limit')"
    assert answer(second, limits) == [("7s", "9MB", "roman_reader", "on", "48828125kB")]  # 50 GB
    second.give_back()


def test_what_failed_is_not_used_again(spares):
    first = spares.with_uploads(_LIMITS, [upload("a")])
    process = answer(first, "SELECT pg_backend_pid()")
    first.is_spoiled = True
    first.give_back()
    second = spares.with_uploads(_LIMITS, [upload("a")])
    assert answer(second, "SELECT pg_backend_pid()") != process
    second.give_back()


def test_one_whose_server_has_gone_is_replaced(spares, stored):
    first = spares.with_uploads(_LIMITS, [upload("a")])
    ((process,),) = answer(first, "SELECT pg_backend_pid()")
    first.give_back()
    stored(f"SELECT pg_terminate_backend({process})")
    second = spares.with_uploads(_LIMITS, [upload("a")])
    assert answer(second, "SELECT max(a) FROM pg_temp.upload_0") == [(3,)]
    second.give_back()


def test_no_more_are_kept_than_there_is_room_for(spares):
    held = [spares.with_uploads(_LIMITS, [upload("a")]) for _ in range(3)]
    for one in held:
        one.give_back()
    assert not spares.has_room


class Unfinished(Held):
    """Connection that fails when it is all but made."""

    process = 0

    def _take_room(self) -> None:
        ((Unfinished.process,),) = answer(self, "SELECT pg_backend_pid()")
        raise OSError("no room")


def test_one_that_cannot_be_made_is_closed(spares, stored):
    with pytest.raises(Lost) as caught:
        Unfinished(_LIMITS, [upload("a")])
    process = f"SELECT 1 FROM pg_stat_activity WHERE pid = {Unfinished.process}"
    assert eventually(lambda: stored(process) == [])
    assert caught.value.status == 503
