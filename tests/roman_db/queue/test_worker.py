"""Workers: each job is done once, whoever dies, waits, fails or is told to stop."""

import os
import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from procrastinate import utils
from procrastinate.jobs import Job as QueuedJob

from roman_db import session
from roman_db.locks import held, touching
from roman_db.queue import storage
from roman_db.queue.execution import AttemptFailed
from roman_db.queue.job import Job
from roman_db.queue.worker import Backoff

from ..conftest import execute
from .conftest import wait_for, work_here

STATES = "SELECT state FROM ops.queue_job ORDER BY job_id"
ATTEMPTS = "SELECT state FROM ops.job_attempt ORDER BY job_attempt_id"
UNITS = "SELECT name FROM bench.unit ORDER BY name"
RUNS = "SELECT state, n_loaded FROM ops.load_run ORDER BY load_run_id"


def submit(*words, **how):
    with session.transaction() as connection:
        return storage.submit(connection, Job(words, **how))


def submit_bench(names, **how):
    return submit("run", "bench", "--names", names, **how)


def close_gate(url, name):
    execute(url, f"INSERT INTO bench.gate VALUES ('{name}')")


def open_gate(url):
    execute(url, "DELETE FROM bench.gate")


def wait_at_gate(url, name, worker):
    wait_for(url, "SELECT name, pid FROM bench.waiting ORDER BY name DESC LIMIT 1", [(name, worker.pid)])


def rows(url, query):
    return [row[0] if len(row) == 1 else row for row in execute(url, query)]


def test_a_job_is_run_as_people_run_it(queue):
    submit_bench("a,b")
    work_here()
    assert rows(queue, UNITS) == ["a", "b"]
    assert rows(queue, STATES) == ["succeeded"]
    assert rows(queue, "SELECT task, state, n_expected, n_loaded FROM ops.load_run") == [
        ("run bench", "succeeded", 2, 2)
    ]
    last = "SELECT a.last_load_run_id = r.load_run_id FROM ops.job_attempt a, ops.load_run r"
    assert rows(queue, last) == [True]


@pytest.mark.heavy
def test_what_a_killed_worker_had_in_hand_is_done_once_by_another(queue, start_worker):
    submit_bench("a,b,c")
    close_gate(queue, "b")
    first = start_worker()
    wait_at_gate(queue, "b", first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    open_gate(queue)
    second = start_worker()
    wait_for(queue, STATES, [("succeeded",)])
    assert rows(queue, "SELECT name, pid FROM bench.unit ORDER BY name") == [
        ("a", first.pid), ("b", second.pid), ("c", second.pid)
    ]  # fmt: skip
    assert rows(queue, ATTEMPTS) == ["lost", "succeeded"]
    assert rows(queue, RUNS) == [("interrupted", 1), ("succeeded", 2)]


@pytest.mark.heavy
def test_a_job_that_workers_die_of_is_not_begun_for_ever(queue, start_worker):
    submit_bench("a", retries=0)
    close_gate(queue, "a")
    worker = start_worker()
    wait_at_gate(queue, "a", worker)
    worker.kill()
    worker.wait()
    execute(queue, "UPDATE queue.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    work_here()
    assert rows(queue, "SELECT command, message FROM ops.dead_job") == [
        ("run bench --names a", "the worker died, or gave no sign of life")
    ]
    assert rows(queue, UNITS) == []


@pytest.mark.heavy
def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_others(queue, start_worker):
    submit_bench("a,b,c")
    close_gate(queue, "a")
    worker = start_worker()
    wait_at_gate(queue, "a", worker)
    worker.terminate()
    wait_for(queue, "SELECT count(*) FROM bench.waiting", [(1,)])
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.5)
    open_gate(queue)
    worker.wait(20)
    assert rows(queue, UNITS) == ["a"]
    assert rows(queue, "SELECT state, n_attempt FROM ops.queue_job") == [("todo", 0)]
    work_here()
    assert rows(queue, UNITS) == ["a", "b", "c"]
    assert rows(queue, RUNS) == [("interrupted", 1), ("succeeded", 2)]


@pytest.mark.heavy
def test_a_cancelled_run_stops_before_its_next_unit_and_can_be_done_again(queue, start_worker):
    job = submit_bench("a,b")
    close_gate(queue, "a")
    wait_at_gate(queue, "a", start_worker())
    with session.transaction() as connection:
        assert storage.cancel(connection, job) == "doing"
    open_gate(queue)
    wait_for(queue, STATES, [("aborted",)])
    assert rows(queue, UNITS) == ["a"]
    assert rows(queue, ATTEMPTS) == ["cancelled"]
    with session.transaction() as connection:
        storage.retry(connection, job)
    wait_for(queue, STATES, [("succeeded",)])
    assert rows(queue, UNITS) == ["a", "b"]


def test_units_that_failed_are_tried_again_and_then_given_up(queue):
    job = submit_bench("a,b,c", retries=1, backoff_s=0)
    execute(queue, "INSERT INTO bench.fault VALUES ('b', 2)")
    work_here()
    work_here()
    assert rows(queue, UNITS) == ["a", "c"]
    assert rows(queue, ATTEMPTS) == ["failed", "failed"]
    ((command, message),) = rows(queue, "SELECT command, message FROM ops.dead_job")
    assert command == "run bench --names a,b,c"
    assert "1 of 1 units failed: bench b: ValueError: b is to fail" in message
    with session.transaction() as connection:
        storage.retry(connection, job)
    work_here()
    assert rows(queue, UNITS) == ["a", "b", "c"]
    assert rows(queue, STATES) == ["succeeded"]


def test_a_job_is_tried_again_in_time_though_the_clock_of_its_host_is_a_day_ahead(queue, monkeypatch):
    submit_bench("a", retries=1, backoff_s=60)
    execute(queue, "INSERT INTO bench.fault VALUES ('a', 1)")
    ahead = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(utils, "utcnow", lambda: ahead)
    work_here()
    wait = "SELECT extract(EPOCH FROM scheduled_at - now()) FROM ops.queue_job"
    assert 0 < rows(queue, wait)[0] <= 60


def test_waits_between_tries_grow_and_end(queue):
    with session.transaction() as connection:
        storage.submit(connection, Job(("run", "bench"), retries=3, backoff_s=60))
    kept = {"words": ["run", "bench"], "retries": 3, "backoff_s": 60.0}
    assert rows(queue, "SELECT args FROM queue.procrastinate_jobs") == [kept]
    for tried, wait in ((0, 60), (1, 240), (2, 960), (3, None)):
        job = QueuedJob(
            id=1, queue="", lock=None, queueing_lock=None, task_name="", task_kwargs=kept, attempts=tried
        )
        decision = Backoff(1).get_retry_decision(exception=AttemptFailed(), job=job)
        if wait is None:
            assert decision is None
        else:
            now = execute(queue, "SELECT now()")[0][0]
            assert abs((decision.retry_at - now).total_seconds() - wait) < 30


@pytest.mark.heavy
def test_two_runs_of_a_mode_never_overlap(queue, start_worker):
    submit_bench("a")
    close_gate(queue, "a")
    wait_at_gate(queue, "a", start_worker())
    submit_bench("b")
    submit_bench("c", lock="of its own")
    work_here()
    assert rows(queue, UNITS) == ["c"]
    assert rows(queue, STATES) == ["doing", "todo", "succeeded"]
    open_gate(queue)
    wait_for(queue, STATES, [("succeeded",)] * 3)
    assert rows(queue, UNITS) == ["a", "b", "c"]


def test_a_worker_taken_for_dead_that_lives_keeps_its_lock(queue):
    submit_bench("a")
    with held("run bench"):
        work_here()
    assert rows(queue, UNITS) == []
    postponed = "SELECT state, n_attempt, scheduled_at IS NOT NULL FROM ops.queue_job"
    assert rows(queue, postponed) == [("todo", 0, True)]
    assert rows(queue, ATTEMPTS) == ["postponed"]
    execute(queue, "UPDATE queue.procrastinate_jobs SET scheduled_at = NULL")
    work_here()
    assert rows(queue, UNITS) == ["a"]


def test_a_worker_taken_for_dead_leaves_the_job_to_whom_it_was_given(queue):
    submit_bench("a")
    close_gate(queue, "a")

    def give_to_others():
        wait_for(queue, "SELECT name FROM bench.waiting", [("a",)])
        with session.transaction() as connection:
            connection.exec_driver_sql("UPDATE queue.procrastinate_workers SET last_heartbeat = '-infinity'")
            assert storage.put_back_lost(connection, 1)
        open_gate(queue)

    beside = threading.Thread(target=give_to_others)
    beside.start()
    work_here()
    beside.join()
    assert rows(queue, "SELECT state, n_attempt FROM ops.queue_job") == [("succeeded", 2)]
    assert rows(queue, ATTEMPTS) == ["lost", "succeeded"]
    assert rows(queue, UNITS) == ["a"]


def test_a_job_waits_for_a_run_by_hand_that_touches_the_same(queue):
    submit_bench("a")
    submit_bench("b", lock="of its own")
    with touching("bench", [str(["a"])]):
        work_here()
    assert rows(queue, UNITS) == ["b"]
    assert rows(queue, ATTEMPTS) == ["postponed", "succeeded"]
    [said] = rows(queue, "SELECT message FROM ops.job_attempt WHERE state = 'postponed'")
    assert f"process {os.getpid()}" in said
    execute(queue, "UPDATE queue.procrastinate_jobs SET scheduled_at = NULL")
    work_here()
    assert sorted(rows(queue, UNITS)) == ["a", "b"]


def test_the_most_urgent_is_begun_first(queue):
    for name, priority in (("a", 0), ("b", 5), ("c", -1), ("d", 5)):
        submit_bench(name, priority=priority)
    work_here()
    order = "SELECT command FROM ops.job_attempt a JOIN ops.queue_job USING (job_id) ORDER BY job_attempt_id"
    assert [command[-1] for command in rows(queue, order)] == ["b", "d", "a", "c"]


def test_readers_see_jobs_and_not_the_queue(queue):
    submit_bench("a")
    with session.reading() as connection:
        assert (
            connection.exec_driver_sql("SELECT command FROM ops.queue_job").scalar_one()
            == "run bench --names a"
        )
    with session.reading() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql("SELECT * FROM queue.procrastinate_jobs")
