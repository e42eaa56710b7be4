"""Entries that end at the same time are written together, each once, and a bad one harms no other."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from roman_db.accounts.account import ANONYMOUS
from roman_db.accounts.ledger import Ledger
from roman_db.accounts.usage import Entry, Kind, Outcome
from tests.roman_db.conftest import execute

_NOW = datetime.now(UTC)
_ENTRY = Entry(ANONYMOUS, Kind.SYNC, Outcome.DONE, _NOW, _NOW, _NOW, 0.5, 1, 0, client="x")


async def _note(ledger: Ledger, entries: list[Entry]) -> None:
    await asyncio.gather(*(ledger.note(one) for one in entries))


def test_what_ends_while_others_are_written_is_written_together():
    """The first is held up until all others wait."""
    entries = [replace(_ENTRY, n_row=k) for k in range(20)]
    batches, all_wait = [], threading.Event()

    def write(batch):
        assert all_wait.wait(10)
        batches.append([one.n_row for one in batch])

    async def note():
        ledger = Ledger(write)
        tasks = [asyncio.create_task(ledger.note(one)) for one in entries]
        await asyncio.sleep(0.05)
        all_wait.set()
        await asyncio.gather(*tasks)

    asyncio.run(note())
    assert batches == [[0], list(range(1, 20))] or batches == [list(range(20))]


def test_rows_are_written_once_and_a_bad_one_is_logged(accounts_database):
    """An account that is not there cannot have used anything."""
    entries = [replace(_ENTRY, n_row=k) for k in range(1, 8)] + [replace(_ENTRY, account_id=-5, n_row=99)]
    before = execute(accounts_database, "SELECT count(*), coalesce(sum(n_row), 0) FROM ops.account_usage")
    with capture_logs() as logged:
        asyncio.run(_note(Ledger(), entries))
    ((n_before, sum_before),) = before
    after = execute(accounts_database, "SELECT count(*), sum(n_row) FROM ops.account_usage")
    assert after == [(n_before + 7, sum_before + 28)]
    day = "SELECT sum(n_row), sum(seconds) FROM ops.address_usage"
    assert execute(accounts_database, day) == [(28, pytest.approx(3.5))]
    assert [one["event"] for one in logged] == ["ledger not written"]
    assert "n_row=99" in logged[0]["entry"]


def test_a_server_that_is_gone_is_logged_for_each():
    def write(batch):
        raise OSError("gone")

    with capture_logs() as logged:
        asyncio.run(_note(Ledger(write), [_ENTRY, replace(_ENTRY, n_row=2)]))
    assert len(logged) == 2
