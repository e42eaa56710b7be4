"""What becomes of jobs when the service that has them dies or is stopped, and who may see whose."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
import requests

from roman_db.tap.uws import storage
from roman_db.tap.uws.claims import LEFT, MOST_STARTS, Claims
from roman_db.tap.uws.job import Phase
from tests.roman_db.conftest import copy_database, execute, forget, point_at, url_of
from tests.roman_db.tap.service.awkward import N_ROW
from tests.roman_db.tap.service.conftest import start
from tests.roman_db.tap.service.waiting import eventually

#: About 10^10 rows, for as long as the table beside it is as it was.
_ENDLESS = "SELECT COUNT(*) AS n FROM " + ", ".join(f"roman.visit AS v{number}" for number in range(6))
_NAME = "tap_survival"


@pytest.fixture(scope="module")
def own_database(cluster_url, service_template) -> str:
    """URL of a copy in which tests change rows."""
    name = f"{_NAME}_{os.getpid()}"
    copy_database(cluster_url, service_template, name)
    yield url_of(cluster_url, name)
    forget()
    execute(cluster_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def jobs(own_database, monkeypatch) -> None:
    """No jobs in the database of this process."""
    point_at(own_database, monkeypatch)
    execute(own_database, "DELETE FROM uws.job")
    yield
    forget()


def new(**values: object) -> str:
    """Store a job."""
    row = {
        "phase": Phase.QUEUED, "parameters": [], "execution_duration": 60,
        "destruction": datetime.now(UTC) + timedelta(days=1), "account_id": None,
    }  # fmt: skip
    return storage.create(row | values)


def phase(job: str) -> str:
    return requests.get(f"{job}/phase", timeout=60).text


def test_jobs_come_through_a_service_that_is_killed_and_one_that_is_stopped(jobs, own_database, tmp_path):
    folder = {"ROMAN_DB_TAP_JOB_FOLDER": str(tmp_path)}
    process, address = start(own_database, **folder)
    with process:
        form = {"LANG": "ADQL", "PHASE": "RUN", "RESPONSEFORMAT": "csv"}
        done, running = (
            requests.post(f"{address}/async", data=form | {"QUERY": query}, timeout=60).url
            for query in ("SELECT visit_id FROM roman.visit", _ENDLESS)
        )
        assert eventually(lambda: phase(done) == "COMPLETED" and phase(running) == "EXECUTING")
        process.kill()
    backends = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%v5%' "
    assert eventually(lambda: execute(own_database, f"{backends} AND pid <> pg_backend_pid()") == [])
    process, later = start(own_database, **folder)
    with process:
        done, running = (job.replace(address, later) for job in (done, running))
        assert requests.get(f"{done}/results/result", timeout=60).text.count("\n") >= N_ROW
        assert eventually(lambda: phase(running) == "EXECUTING")
        process.terminate()
    assert storage.read(running.rpartition("/")[2]).phase == Phase.QUEUED


def test_of_many_that_take_jobs_each_job_is_taken_once_the_oldest_first(jobs):
    made = [new() for _ in range(4)]
    takers = [Claims(3) for _ in range(3)]
    taken = [takers[number % 3].take() for number in range(5)]
    assert [job.job_id for job in taken[:4]] == made
    assert taken[4] is None
    for taker in takers:
        taker.close()


def test_what_a_dead_service_left_begins_again_until_it_was_begun_too_often(jobs):
    job_id, living = new(), Claims(3)
    for _ in range(MOST_STARTS):
        dying = Claims(3)
        assert dying.take().job_id == job_id
        assert living.put_back_left() == 0
        dying.close()
        assert eventually(lambda: living.put_back_left() == 1 or storage.read(job_id).phase == Phase.ERROR)
    found = storage.read(job_id)
    assert (found.phase, found.error) == (Phase.ERROR, LEFT)
    living.close()


def test_expired_jobs_are_removed_whatever_their_phase(jobs):
    over = datetime.now(UTC) - timedelta(seconds=1)
    expired = {new(destruction=over), new(destruction=over, phase=Phase.PENDING)}
    kept, claims = new(), Claims(3)
    assert set(claims.remove_expired()) == expired
    assert storage.read(kept) is not None
    claims.close()


def test_an_account_is_listed_its_own_jobs_the_newest_first(jobs):
    start_ = datetime(2027, 2, 1, tzinfo=UTC)
    mine = [
        new(account_id=7, creation_time=start_ + timedelta(days=day), phase=phase_)
        for day, phase_ in enumerate((Phase.PENDING, Phase.QUEUED, Phase.ERROR, Phase.QUEUED))
    ]
    new(account_id=8), new()
    listed = [
        [job.job_id for job in storage.listed(7, wanted)]
        for wanted in (
            storage.Selection(),
            storage.Selection(phases=[Phase.QUEUED]),
            storage.Selection(after=start_ + timedelta(days=1)),
            storage.Selection(phases=[Phase.QUEUED, Phase.PENDING], last=2),
        )
    ]
    assert listed == [mine[::-1], [mine[3], mine[1]], [mine[3], mine[2]], [mine[3], mine[1]]]
