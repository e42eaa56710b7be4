"""What stands in front of a query, and the ledger: what ran is what is written."""

import asyncio
import dataclasses
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roman_db.accounts.account import ANONYMOUS, Account
from roman_db.accounts.admission import Admission
from roman_db.accounts.day_quota import Used
from roman_db.accounts.limits import Limits
from roman_db.accounts.usage import Kind, Outcome, usage, write_entries
from roman_db.service_failure import Forbidden, TooMany, TooMuch
from tests.roman_db.conftest import execute

_NOW = datetime.now(UTC)
_LIMITS = Limits(1000, 10, 100, 2, 0, 0, 5, 10**6, 1000, 0, 3)
_ACCOUNT = Account(
    7, "ada", None, "a@example.org", "entry", None, None, "active", _NOW, _NOW + timedelta(1), _LIMITS,
    False, 1, 1,
)  # fmt: skip


def _fresh(size: int, write=write_entries) -> Admission:
    """Admission of which `_ACCOUNT` has used nothing today, which is known."""
    admission = Admission(size, write, lambda account, client, since: Used())
    admission.day.read(_ACCOUNT, _ACCOUNT.party)
    return admission


def test_limits_are_those_of_the_account_and_of_how_it_runs():
    admission = Admission(4)
    admitted = admission.admit(_ACCOUNT, Kind.SYNC, 10)
    assert (admitted.rows, admitted.seconds) == (10, 10)
    admitted = admission.admit(_ACCOUNT, Kind.ASYNC, 10**9, sky_area=5)
    assert (admitted.rows, admitted.seconds) == (1000, 100)


@pytest.mark.parametrize(
    ("change", "area", "refusal", "message"),
    [
        ({"state": "suspended"}, 0, Forbidden, "is suspended"),
        ({"state": "closed"}, 0, Forbidden, "is closed"),
        ({"expires_at": _NOW - timedelta(seconds=1)}, 0, Forbidden, "was to be renewed by"),
        ({}, 5.1, TooMuch, "processes 5.1 deg2.*may 5"),
    ],
)
def test_who_may_not_is_told_why(change, area, refusal, message):
    account = dataclasses.replace(_ACCOUNT, **change)
    with pytest.raises(refusal, match=message):
        Admission(4).admit(account, Kind.SYNC, 10, sky_area=area)


def test_those_who_do_not_sign_in_share_their_places_by_address():
    anonymous = dataclasses.replace(_ACCOUNT, account_id=ANONYMOUS, name="anonymous")
    admission = Admission(4)
    parties = [
        admission.admit(anonymous, Kind.SYNC, 1, client).party for client in ("1.2.3.4", "1.2.3.4", "::1")
    ]
    assert parties[0] == parties[1] != parties[2]
    assert admission.admit(_ACCOUNT, Kind.SYNC, 1, "1.2.3.4").party == _ACCOUNT.party


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (2, 1), (4, 3), (8, 6)])
def test_nobody_has_all_places(size, expected):
    """Whatever an account may; where there is one place alone, it is shared in time."""

    async def scenario():
        entries = []
        admission = _fresh(size, entries.extend)
        greedy = dataclasses.replace(_ACCOUNT, limits=dataclasses.replace(_LIMITS, concurrent=100))
        gate = asyncio.Event()

        async def hold():
            async with admission.running(admission.admit(greedy, Kind.SYNC, 1)):
                await gate.wait()

        tasks = [asyncio.create_task(hold()) for _ in range(20)]
        await asyncio.sleep(0.01)
        held = admission.queue.n_held(greedy.party)
        gate.set()
        await asyncio.gather(*tasks)
        assert (held, len(entries)) == (expected, 20)

    asyncio.run(scenario())


async def _run(admission: Admission, account: Account, how: str, n_row: int) -> None:
    """One query that ends in a way."""
    async with admission.running(admission.admit(account, Kind.SYNC, 100)) as meter:
        await asyncio.sleep(0)
        meter.n_row, meter.n_byte = n_row, 8 * n_row
        if how == "raises":
            raise ValueError("the query was bad")
        if how == "says cancelled":
            meter.outcome = Outcome.CANCELLED
            raise ValueError("the client went")
        if how == "is cancelled":
            asyncio.current_task().cancel()
            await asyncio.sleep(1)


_OUTCOMES = {
    "ends": "done", "raises": "failed", "says cancelled": "cancelled", "is cancelled": "cancelled",
}  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(list(_OUTCOMES)), st.integers(0, 2**24)), max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_ledger_is_what_ran(accounts_database, new_account, queries):
    """However many, ending however, side by side: each is there once, with its rows and bytes."""
    account = new_account()

    async def scenario():
        admission = Admission(3)
        tasks = [asyncio.create_task(_run(admission, account, how, n)) for how, n in queries]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert admission.queue.n_held(account.party) == admission.queue.n_waiting(account.party) == 0

    asyncio.run(scenario())
    found = {
        row["outcome"]: (row["n_query"], row["n_row"], row["n_byte"]) for row in usage(account.account_id, 1)
    }
    number = Counter(_OUTCOMES[how] for how, _ in queries)
    rows = Counter()
    for how, n in queries:
        rows[_OUTCOMES[how]] += n
    assert found == {outcome: (n, rows[outcome], 8 * rows[outcome]) for outcome, n in number.items()}
    times = f"""
        SELECT count(*) FROM ops.account_usage WHERE account_id = {account.account_id}
        AND (started_at < queued_at OR finished_at < started_at OR seconds > 60)
    """
    assert execute(accounts_database, times) == [(0,)]


def test_who_gives_up_while_waiting_is_written_and_who_is_refused_is_not(
    accounts_database, new_account, monkeypatch
):
    monkeypatch.setattr("roman_db.accounts.admission.LONGEST_QUEUE", 1)
    account = new_account()

    async def scenario():
        admission, gate = _fresh(1), asyncio.Event()

        async def hold():
            async with admission.running(admission.admit(account, Kind.SYNC, 1)):
                await gate.wait()

        first = asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        second = asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        with pytest.raises(TooMany):
            await hold()
        second.cancel()
        gate.set()
        await asyncio.gather(first, second, return_exceptions=True)

    asyncio.run(scenario())
    query = (
        f"SELECT outcome, started_at IS NULL FROM ops.account_usage WHERE account_id = {account.account_id}"
    )
    assert sorted(execute(accounts_database, query)) == [("cancelled", True), ("done", False)]


def test_a_ledger_that_cannot_be_written_does_not_undo_the_answer():
    def fail(entry):
        raise OSError("no database")

    async def scenario():
        admission = _fresh(1, fail)
        async with admission.running(admission.admit(_ACCOUNT, Kind.SYNC, 1)):
            pass
        return admission.queue.n_held(_ACCOUNT.party)

    assert asyncio.run(scenario()) == 0
