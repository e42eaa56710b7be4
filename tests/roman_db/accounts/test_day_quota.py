"""Quotas of a day: counted until midnight, told with the figures, and begun anew after it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roman_db.accounts.account import ANONYMOUS, Account
from roman_db.accounts.day_quota import DayQuota, Used
from roman_db.accounts.limits import Limits
from roman_db.accounts.usage import Entry, Kind, Outcome, used_since, write_entries
from roman_db.service_failure import TooMany

_EVENING = datetime(2027, 2, 1, 22, 30, tzinfo=UTC)
_LIMITS = Limits(1000, 10, 100, 2, 0, 0, 5, 100, 50, 0, 3)
_ACCOUNT = Account(
    7, "ada", None, "a@example.org", "entry", None, None, "active", _EVENING, None, _LIMITS, False, 1, 1
)


def _quota(read=lambda account, client, since: Used()) -> tuple[DayQuota, list[datetime]]:
    """Quota, and its clock, which may be set."""
    clock = [_EVENING]
    return DayQuota(read, lambda: clock[0]), clock


@pytest.mark.parametrize(
    ("n_row", "seconds", "what"), [(100, 0, "100 of the 100 rows"), (0, 50, "50 seconds")]
)
def test_who_has_used_up_a_day_is_told_what_and_until_when(n_row, seconds, what):
    quota, clock = _quota()
    quota.add("p", n_row - 1 if n_row else 0, seconds - 1 if seconds else 0)
    quota.check(_ACCOUNT, "p")
    quota.add("p", 1, 1)
    with pytest.raises(TooMany, match=f"{what} of a day: ask again from 2027-02-02T00:00:00Z") as refused:
        quota.check(_ACCOUNT, "p")
    assert refused.value.retry_after_s == 1.5 * 3600
    quota.check(_ACCOUNT, "another")
    clock[0] += timedelta(hours=1.5)
    quota.check(_ACCOUNT, "p")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1000), st.floats(0, 100)), max_size=20))
def test_each_party_has_used_the_sum_of_its_queries(queries):
    quota, _ = _quota()
    for party, n_row, seconds in queries:
        quota.add(party, n_row, seconds)
    for party in "abc":
        own = [(n, s) for name, n, s in queries if name == party]
        assert quota.used(party).n_row == sum(n for n, _ in own)
        assert quota.used(party).seconds == pytest.approx(sum(s for _, s in own))


def test_what_other_services_wrote_counts_of_accounts_and_of_addresses():
    quota, _ = _quota(lambda account, client, since: Used(99 if client == "x" else 100, 0.0))
    quota.read(_ACCOUNT, "account 7")
    with pytest.raises(TooMany, match="account 'ada' has used 100"):
        quota.check(_ACCOUNT, "account 7")
    nobody = dataclasses.replace(_ACCOUNT, account_id=ANONYMOUS, name="anonymous")
    quota.read(nobody, "client x")
    quota.check(nobody, "client x")
    quota.add("client x", 1, 0)
    with pytest.raises(TooMany, match="your address has used 100"):
        quota.check(nobody, "client x")


def test_what_ends_while_the_ledger_is_read_is_never_forgotten():
    """The ledger has one of three queries when it is read; it has all of them when it is read again."""
    stored = [Used(10, 1), Used(60, 6)]
    waiting = []

    def read(*_: object) -> Used:
        waiting.pop()()  # the second is written now: the reading may have missed it
        waiting.append(quota.add("account 7", 30, 3))
        return stored.pop(0)

    quota, _ = _quota(read)
    quota.add("account 7", 10, 1)()
    waiting.append(quota.add("account 7", 20, 2))
    quota.read(_ACCOUNT, "account 7")
    assert quota.used("account 7") == Used(60, 6)
    waiting.pop()()
    assert quota.used("account 7") == Used(60, 6)
    waiting.append(lambda: None)
    quota.read(_ACCOUNT, "account 7")
    assert quota.used("account 7") == Used(90, 9)  # the ledger's, and the one of this moment


def test_what_is_written_after_midnight_is_of_the_day_before():
    quota, clock = _quota()
    written = quota.add("account 7", 10, 1)
    clock[0] += timedelta(hours=2)
    written()
    quota.read(_ACCOUNT, "account 7")
    assert quota.used("account 7") == Used()


def test_the_ledger_says_what_an_account_and_a_team_used_since_a_time(accounts_database, new_account):
    one, mate = new_account("team", "quota-mates"), new_account("team", "quota-mates")
    alone = new_account()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for account, at, n_row in (
        (one, midnight + timedelta(seconds=1), 3), (one, midnight - timedelta(seconds=1), 1000),
        (mate, midnight, 4), (alone, midnight, 50),
    ):  # fmt: skip
        write_entries([Entry(account.account_id, Kind.SERVICE, Outcome.DONE, at, at, at, 2.5, n_row, 0)])
    assert used_since(one, None, midnight) == used_since(mate, None, midnight) == Used(7, 5.0)
    assert used_since(alone, None, midnight) == Used(50, 2.5)
    assert used_since(one, None, midnight - timedelta(days=1)).n_row == 1007
