"""Whose job begins next, and how much room results have: the database decides, for all services."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from roman_db.accounts.account import Account
from roman_db.accounts.account_store import NewAccount, create_account
from roman_db.accounts.team_store import create_team
from roman_db.service_failure import TooMuch
from roman_db.tap.uws import storage
from roman_db.tap.uws.claims import Claims
from roman_db.tap.uws.job import Phase
from tests.roman_db.conftest import copy_database, execute, forget, point_at, url_of

_NAME = "tap_turns"


@pytest.fixture(scope="module")
def turns_database(cluster_url, service_template) -> Iterator[str]:
    """URL of a copy with accounts."""
    name = f"{_NAME}_{os.getpid()}"
    copy_database(cluster_url, service_template, name)
    with pytest.MonkeyPatch.context() as patch:
        point_at(url_of(cluster_url, name), patch)
        yield url_of(cluster_url, name)
        forget()
    execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def people(turns_database) -> dict[str, Account]:
    """Two of the tier entry (4 places each) and two of a team that shares 12."""
    create_team("turns", "tests")
    places = {
        "heavy": ("entry", None),
        "light": ("entry", None),
        "tim": ("team", "turns"),
        "tom": ("team", "turns"),
    }
    return {
        name: create_account(NewAccount(name, f"{name}@example.org", tier, None, team))
        for name, (tier, team) in places.items()
    }


@pytest.fixture
def claims(turns_database) -> Iterator[Claims]:
    """Claims of a service that runs any number of jobs; no job is there."""
    execute(turns_database, "DELETE FROM uws.job")
    made = Claims(100)
    yield made
    made.close()


def queue(
    account: Account | None, party: str | None = None, check: storage.Check | None = None, **values: object
) -> str:
    """Store a job that waits."""
    row = {
        "phase": Phase.QUEUED, "parameters": [], "execution_duration": 60,
        "destruction": datetime.now(UTC) + timedelta(days=1),
        "account_id": None if account is None else account.account_id,
        "party": account.party if party is None and account is not None else party,
    }  # fmt: skip
    return storage.create(row | values, check)


def test_five_hundred_jobs_of_one_do_not_keep_another_from_the_next_place(claims, people):
    for _ in range(500):
        queue(people["heavy"])
    first = claims.take()
    assert first.account_id == people["heavy"].account_id
    light = [queue(people["light"]) for _ in range(3)]
    taken = [claims.take() for _ in range(4)]
    owners = [job.account_id for job in taken]
    # Who holds the fewest is next, and where both hold as many, who was served longest ago.
    assert owners == [people[name].account_id for name in ("light", "heavy", "light", "heavy")]
    assert [taken[0].job_id, taken[2].job_id] == light[:2]


def test_an_account_holds_as_many_places_as_its_tier_and_what_was_granted(claims, people, turns_database):
    heavy = people["heavy"]
    for _ in range(10):
        queue(heavy)
    assert [claims.take() is None for _ in range(5)] == [False] * 4 + [True]
    execute(
        turns_database,
        "INSERT INTO ops.resource_request (account_id, resource, amount, reason, decision, granted, "
        "decided_by, decided_at, expires_at) "
        f"VALUES ({heavy.account_id}, 'concurrent', 6, 'more', 'approved', 6, 'operator', now(), now() + "
        "INTERVAL '1 day')",
    )
    assert [claims.take() is None for _ in range(3)] == [False] * 2 + [True]
    execute(turns_database, "DELETE FROM ops.resource_request")


def test_a_team_shares_its_places_and_addresses_have_their_own(claims, people):
    for name in ("tim", "tom"):
        for _ in range(10):
            queue(people[name])
    for address in ("client a", "client b"):
        for _ in range(6):
            queue(None, address)
    taken = Counter(job.party for job in iter(claims.take, None))
    assert taken == {people["tim"].party: 12, "client a": 4, "client b": 4}


def test_one_service_gives_a_party_no_more_than_its_share(turns_database, claims, people):
    for _ in range(4):
        queue(people["heavy"])
    small = Claims(1)
    assert [small.take() is None for _ in range(2)] == [False, True]
    assert claims.take() is not None  # another service has room
    small.close()


def test_services_that_ask_at_the_same_moment_do_not_exceed_the_limit(turns_database, claims, people):
    for _ in range(20):
        queue(people["heavy"])
    takers = [Claims(100) for _ in range(6)]
    taken: list[object] = []
    threads = [
        threading.Thread(target=lambda one=one: taken.extend(one.take() for _ in range(3))) for one in takers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(job is not None for job in taken) == 4
    for taker in takers:
        taker.close()


def test_results_that_end_at_the_same_moment_do_not_exceed_their_room(claims, people):
    party = people["light"].party
    jobs = [queue(people["light"], phase=Phase.EXECUTING) for _ in range(12)]
    kept: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda job=job: kept.append(storage.keep_result(storage.read(job), party, 300, 1000))
        )
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(kept) == 3
    assert storage.stored_bytes(party) == 900
    assert storage.stored_bytes(people["heavy"].party) == 0
    storage.change(
        next(job for job in jobs if storage.read(job).result_size), (Phase.EXECUTING,), phase=Phase.ABORTED
    )
    assert storage.stored_bytes(party) == 600


def test_jobs_that_are_made_at_the_same_moment_are_no_more_than_may_be_pending(claims, people):
    """Ten threads make five jobs each, of whom seven may wait to be started; others are not counted."""
    queue(people["heavy"], "client x", phase=Phase.PENDING)
    queue(people["light"], phase=Phase.PENDING)
    made: list[str] = []

    def check(kept: storage.Kept) -> None:
        if kept.n_pending >= 7:
            raise TooMuch("seven wait")

    def make() -> None:
        for _ in range(5):
            with contextlib.suppress(TooMuch):
                made.append(queue(None, "client x", check, phase=Phase.PENDING))

    threads = [threading.Thread(target=make) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6


def test_jobs_that_were_never_started_go_when_their_time_is_over(claims, people, turns_database):
    over = datetime.now(UTC) - timedelta(seconds=1)
    gone = queue(people["light"], phase=Phase.PENDING, destruction=over)
    queue(people["light"], phase=Phase.PENDING)
    assert claims.remove_expired() == [gone]
    assert execute(turns_database, "SELECT count(*) FROM uws.job") == [(1,)]
