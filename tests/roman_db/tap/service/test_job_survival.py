"""What becomes of jobs when the service that has them dies or is stopped, and who may see whose."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import anyio
import pytest
import requests
import sqlalchemy as sa

from roman_db.service_failure import Lost
from roman_db.tap.uws import storage
from roman_db.tap.uws.claims import LEFT, MOST_STARTS, Claims
from roman_db.tap.uws.files import JobFiles
from roman_db.tap.uws.job import Phase
from roman_db.tap.uws.leftovers import remove_leftovers
from roman_db.tap.uws.runner import Runner
from tests.roman_db.conftest import copy_database, execute, forget, point_at, url_of
from tests.roman_db.tap.service.awkward import N_ROW
from tests.roman_db.tap.service.conftest import served, start
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


@pytest.mark.heavy
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


@pytest.mark.heavy
def test_a_service_that_has_lost_its_mark_runs_on_and_leaves_a_job_that_is_done_elsewhere(
    jobs, own_database, tmp_path
):
    folder, files = {"ROMAN_DB_TAP_JOB_FOLDER": str(tmp_path)}, JobFiles(tmp_path)
    form = {"LANG": "ADQL", "PHASE": "RUN", "RESPONSEFORMAT": "csv", "QUERY": _ENDLESS}
    worker, others = "SELECT worker, n_start FROM uws.job", Claims(3)
    with served(own_database, **folder) as address:
        job = requests.post(f"{address}/async", data=form, timeout=60).url
        assert eventually(lambda: phase(job) == "EXECUTING")
        ((before, _),) = execute(own_database, worker)
        execute(own_database, f"SELECT pg_terminate_backend({before.partition('@')[0]}, 5000)")
        assert eventually(lambda: execute(own_database, worker)[0][0] != before)
        assert others.put_back_left() == 0
        assert (phase(job), execute(own_database, worker)[0][1]) == ("EXECUTING", 1)
        # As if another service had seen the job before it had its new mark.
        execute(own_database, "UPDATE uws.job SET phase = 'QUEUED', worker = NULL")
        mine = others.take()
        files.make(mine.job_id)
        files.result(mine).write_text("of another service")
        done = {"phase": Phase.COMPLETED, "media_type": "text/csv", "result_size": 18}
        assert others.end(mine, done)
        backends = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%v5%' "
        active = f"{backends} AND state = 'active' AND pid <> pg_backend_pid()"
        assert eventually(lambda: execute(own_database, active) == [])
        assert eventually(lambda: [one.name for one in (tmp_path / mine.job_id).iterdir()] == ["result-2"])
        assert phase(job) == "COMPLETED"
        assert requests.get(f"{job}/results/result", timeout=60).text == "of another service"
    others.close()


def test_the_end_of_a_job_is_stored_though_the_database_is_away_for_a_while(jobs, tmp_path, monkeypatch):
    """Of the attempts to store it the first two fail, as where no connection is free."""
    job_id, missing = new(), [sa.exc.TimeoutError("pool"), sa.exc.OperationalError("", {}, OSError())]
    runner = Runner(1, NoConnections(), JobFiles(tmp_path), None, timedelta(days=1))
    monkeypatch.setattr("roman_db.tap.uws.runner._AGAIN_S", 0.01)
    end = runner._claims.end

    def ended(*arguments: object) -> bool:
        if missing:
            raise missing.pop()
        return end(*arguments)

    monkeypatch.setattr(runner._claims, "end", ended)
    anyio.run(runner._run, runner._claims.take())
    found = storage.read(job_id)
    assert (found.phase, found.error, missing) == (Phase.ERROR, "no connection", [])
    runner._claims.close()


class NoConnections:
    """Stands for connections, of which there are none."""

    def lent(self) -> None:
        raise Lost("no connection")


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
        assert eventually(lambda: living.put_back_left() == 1 or [job_id] == _failed(living))
    found = storage.read(job_id)
    assert (found.phase, found.error) == (Phase.ERROR, LEFT)
    living.close()


def _failed(claims: Claims) -> list[str]:
    return [job.job_id for job in claims.fail_left()]


def test_who_has_lost_the_connection_alone_keeps_the_jobs(jobs, own_database):
    """Another service sees no job that was left, though the process that the mark named is gone."""
    new(), new()
    living, other = Claims(3), Claims(3)
    mine = [living.take(), living.take()]
    before = [worker for (worker,) in execute(own_database, "SELECT DISTINCT worker FROM uws.job")]
    ended = execute(own_database, f"SELECT pg_terminate_backend({before[0].partition('@')[0]}, 5000)")
    assert (len(before), ended) == (1, [(True,)])
    assert [living.holds(job) for job in mine] == [True, True]
    assert other.put_back_left() == living.put_back_left() == 0
    after = [worker for (worker,) in execute(own_database, "SELECT DISTINCT worker FROM uws.job")]
    assert (len(after), after == before) == (1, False)
    assert living.end(mine[0], {"phase": Phase.ABORTED})
    assert not living.end(mine[0], {"phase": Phase.ERROR})
    living.close(), other.close()


def test_how_a_job_ended_that_has_begun_elsewhere_is_not_stored(jobs, own_database):
    job_id, first, second = new(), Claims(3), Claims(3)
    was = first.take()
    execute(own_database, "SELECT pg_terminate_backend(split_part(worker, '@', 1)::int, 5000) FROM uws.job")
    assert second.put_back_left() == 1
    now = second.take()
    assert (now.job_id, now.n_start, was.n_start) == (job_id, 2, 1)
    assert not first.holds(was)
    assert not first.end(was, {"phase": Phase.ERROR, "error": "of the first"})
    assert second.end(now, {"phase": Phase.ABORTED})
    assert storage.read(job_id).error is None
    first.close(), second.close()


def test_files_go_with_what_they_were_for(jobs, tmp_path):
    """Of a start that came later, and of a job that is not stored here, nothing is removed."""
    files = JobFiles(tmp_path)
    here = {
        name: new(phase=phase, n_start=2, media_type="text/csv" if phase == Phase.COMPLETED else None)
        for name, phase in (("done", Phase.COMPLETED), ("failed", Phase.ERROR), ("runs", Phase.EXECUTING))
    }
    for job_id in (*here.values(), "elsewhere", "old"):
        files.keep(job_id, {"table": b"12345"}, ["table"])
        for start_ in (1, 2, 3):
            (tmp_path / job_id / f"result-{start_}").write_text("rows")
    new_name = storage.read(before := new(phase=Phase.COMPLETED, n_start=1, media_type="text/csv"))
    (files.make(before) / "result").write_text("of an earlier release")
    os.utime(tmp_path / "old", (0, 0))
    remove_leftovers(files, timedelta(days=14))
    left = {
        name: sorted(one.name.partition("-")[2][:1] for one in (tmp_path / job_id).glob("result-*"))
        for name, job_id in here.items()
    }
    assert left == {"done": ["2", "3"], "failed": ["3"], "runs": ["2", "3"]}
    assert [files.upload_size(job_id, ["table"]) for job_id in here.values()] == [0, 0, 5]
    assert files.upload_size("elsewhere", ["table"]) == 5
    assert not (tmp_path / "old").exists()
    assert files.result(new_name).read_text() == "of an earlier release"


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
