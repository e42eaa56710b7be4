"""Accounts, teams, requests: what may be made of them, and what follows."""

from datetime import UTC, datetime, timedelta

import pytest

from roman_db.accounts import request_store, team_store
from roman_db.accounts.account_store import (
    NewAccount,
    close_account,
    create_account,
    due_accounts,
    list_tiers,
    move_account,
    renew_account,
    suspend_due,
)
from roman_db.accounts.token_store import create_token, list_tokens
from roman_db.service_failure import Failure
from tests.roman_db.accounts.conftest import again
from tests.roman_db.conftest import execute


def test_the_tiers_are_those_of_the_platforms_plan(accounts_database):
    """Entry 5000, Research 1500, Team 50, Consortium a few; limits grow with the tier, teams share them."""
    tiers = {row["tier"]: row for row in list_tiers()}
    planned = {name: tiers[name]["n_planned"] for name in ("entry", "research", "team")}
    assert planned == {"entry": 5000, "research": 1500, "team": 50}
    order = ["anonymous", "entry", "research", "team", "consortium"]
    assert list(tiers) == order
    for limit in ("rows", "seconds_sync", "seconds_async", "scratch_bytes", "upload_bytes", "sky_area"):
        values = [tiers[name][limit] for name in order]
        assert values == sorted(values)
    assert [name for name in order if tiers[name]["is_shared"]] == ["team", "consortium"]
    assert [name for name in order if tiers[name]["renewal_days"] is None] == ["anonymous"]


def test_an_account_is_renewed_and_moved(new_account):
    account = new_account()
    assert timedelta(days=365) == account.expires_at - account.renewed_at
    assert account.limits.concurrent == 4
    renewed = renew_account(account.name)
    assert renewed.expires_at > account.expires_at
    assert move_account(account.name, "research", None).limits.rows == 50_000_000
    moved = move_account(account.name, "team", _team("moved-to"))
    assert (moved.tier, moved.team, moved.shares_limits) == ("team", "moved-to", True)
    assert again(account) == moved


def _team(name: str) -> str:
    team_store.create_team(name, "tests")
    return name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "A"}, "small letters"),
        ({"name": "a; drop"}, "small letters"),
        ({"name": "x" * 32}, "small letters"),
        ({"name": "anonymous"}, "there is an account of that name"),
        ({"email": "nobody"}, "one @"),
        ({"tier": "emperor"}, "no tier 'emperor'"),
        ({"tier": "anonymous"}, "no tier 'anonymous' for people"),
        ({"tier": "team"}, "name one with --team"),
        ({"team": "nowhere"}, "no team 'nowhere'"),
    ],
)
def test_accounts_that_cannot_be_are_refused_with_the_reason(accounts_database, change, message):
    values = {"name": "somebody", "email": "somebody@example.org", "tier": "entry"} | change
    with pytest.raises(Failure, match=message):
        create_account(NewAccount(**values))
    assert execute(accounts_database, "SELECT count(*) FROM ops.account WHERE name = 'somebody'") == [(0,)]


def test_a_name_and_an_address_are_one_persons(new_account):
    first = new_account()
    for name, email in ((first.name, "new@example.org"), ("newcomer", first.email)):
        with pytest.raises(Failure, match="there is an account"):
            create_account(NewAccount(name, email, "entry"))


def test_nobody_changes_the_account_of_those_who_do_not_sign_in(accounts_database):
    for change in (renew_account, close_account):
        with pytest.raises(Failure, match="everybody who does not sign in"):
            change("anonymous")


def test_a_closed_account_has_no_tokens_and_stays_closed(new_account):
    account = new_account()
    create_token(account.name, ["query"], 10)
    assert close_account(account.name).state == "closed"
    assert [token.revoked_at is None for token in list_tokens(account.name)] == [False]
    for change in (renew_account, close_account):
        with pytest.raises(Failure, match="is closed"):
            change(account.name)
    with pytest.raises(Failure, match="is closed"):
        create_token(account.name, ["query"], 10)


def test_renewals_that_are_due_are_listed_and_suspended_after_a_grace(accounts_database, new_account):
    soon, late, long_ago = (new_account() for _ in range(3))
    days = {soon.name: 10, late.name: -5, long_ago.name: -40}
    for name, left in days.items():
        execute(
            accounts_database,
            f"UPDATE ops.account SET renewed_at = now() - INTERVAL '1 year', "
            f"expires_at = now() + INTERVAL '{left} days 1 hour' WHERE name = '{name}'",
        )
    due = {row["name"]: row["days_left"] for row in due_accounts(30)}
    assert {name: due[name] for name in days} == days
    assert soon.name not in {row["name"] for row in due_accounts(5)}
    assert suspend_due(30) == [long_ago.name]
    assert suspend_due(30) == []
    assert [again(one).state for one in (soon, late, long_ago)] == ["active", "active", "suspended"]
    assert renew_account(long_ago.name).state == "active"


def test_a_grant_raises_a_limit_until_it_ends(accounts_database, new_account):
    account = new_account()
    number = request_store.ask(account.name, "rows", 5e8, "all of a field")
    assert again(account).limits == account.limits
    request_store.approve(number, "operator", 10, granted=4e8)
    assert again(account).limits.rows == 400_000_000
    refused = request_store.ask(account.name, "concurrent", 50, "hurry")
    request_store.refuse(refused, "operator", "too many")
    assert again(account).limits.concurrent == account.limits.concurrent
    decided = {one.resource_request_id: one for one in request_store.list_requests(account.name)}
    assert (decided[number].decision, decided[number].granted, decided[number].decided_by) == (
        "approved", 4e8, "operator",
    )  # fmt: skip
    assert (decided[refused].decision, decided[refused].remark) == ("refused", "too many")
    for decide in (
        lambda: request_store.approve(number, "x", 1),
        lambda: request_store.refuse(number, "x", ""),
    ):
        with pytest.raises(Failure, match="no request"):
            decide()
    later = f"UPDATE ops.resource_request SET expires_at = now() WHERE resource_request_id = {number}"
    execute(accounts_database, later)
    assert again(account).limits == account.limits


def test_a_grant_to_one_of_a_team_that_shares_is_of_all_of_its_tier(new_account):
    one, other, entry = (
        new_account("team", "shared"),
        new_account("team", "shared"),
        new_account("entry", "shared"),
    )
    request_store.approve(request_store.ask(one.name, "concurrent", 40, "reprocessing"), "operator", 10)
    assert [again(each).limits.concurrent for each in (one, other, entry)] == [40, 40, 4]
    assert one.party == other.party != entry.party


@pytest.mark.parametrize(
    ("resource", "amount", "reason", "message"),
    [
        ("rows", 10, "x", "has 2e\\+07 of rows already"),
        ("gold", 10, "x", "a resource is one of"),
        ("rows", float("nan"), "x", "above 0"),
        ("rows", float("inf"), "x", "above 0"),
        ("rows", -1, "x", "above 0"),
        ("rows", 1e9, "  ", "what it is needed for"),
    ],
)
def test_requests_that_make_no_sense_are_refused(new_account, resource, amount, reason, message):
    account = new_account()
    with pytest.raises(Failure, match=message):
        request_store.ask(account.name, resource, amount, reason)
    assert request_store.list_requests(account.name) == []


def test_only_so_many_requests_wait(new_account):
    account = new_account()
    for number in range(request_store.MOST_OPEN):
        request_store.ask(account.name, "rows", 1e9 + number, "x")
    with pytest.raises(Failure, match="requests that wait"):
        request_store.ask(account.name, "rows", 2e9, "x")


def test_what_time_it_is_decides_whether_a_renewal_has_passed(new_account):
    account = new_account()
    assert not account.is_due(datetime.now(UTC))
    assert account.is_due(account.expires_at)
    assert account.is_due(account.expires_at + timedelta(days=1))
