"""A server that goes away under a job and comes back: that is a failed try, and the job is tried again."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from roman_db import session
from roman_db.cli import root
from roman_db.cluster import lifecycle
from roman_db.queue import execution, storage
from roman_db.queue.job import Job
from roman_db.queue.worker import Pace, work
from tests.roman_db.cluster.conftest import settings_of, short_folder

from ..conftest import copy_database, execute, forget, upgraded, url_of
from .bench_mode import TABLES
from .conftest import wait_for

_TREE = Path(__file__).parents[3]
STATES = "SELECT state, n_attempt FROM ops.queue_job"
#: Nobody takes the worker for dead meanwhile: that is a try as well, and tested elsewhere.
PACE = Pace(30.0, 0.2)
ATTEMPTS = "SELECT state FROM ops.job_attempt ORDER BY job_attempt_id"
AGAIN = "UPDATE queue.procrastinate_jobs SET scheduled_at = NULL"
WAITING = "SELECT name FROM bench.waiting"


def submit(url):
    with session.transaction() as connection:
        storage.submit(connection, Job(("run", "bench", "--names", "a"), retries=1, backoff_s=3600))
    execute(url, "INSERT INTO bench.gate VALUES ('a')")


@contextlib.contextmanager
def away(server, url):
    """Have nobody get into a database, and whoever is in it put out."""
    name = url.rsplit("/", 1)[-1].split("?")[0]
    out = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", out)
    try:
        yield
    finally:
        execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.mark.heavy
def test_a_database_that_is_away_while_a_job_ends_costs_one_try(queue, cluster_url):
    submit(queue)
    told = []

    def interrupt():
        wait_for(queue, WAITING, [("a",)])
        with away(cluster_url, queue):
            time.sleep(2)
        told.extend(execute(queue, "DELETE FROM bench.gate RETURNING name"))

    beside = threading.Thread(target=interrupt)
    beside.start()
    work(root, PACE, wait=False)
    beside.join()
    assert told == [("a",)]
    assert execute(queue, STATES) == [("todo", 1)]
    assert execute(queue, ATTEMPTS) == [("failed",)]
    execute(queue, AGAIN)
    work(root, PACE, wait=False)
    assert execute(queue, STATES) == [("succeeded", 2)]
    assert execute(queue, "SELECT name FROM bench.unit") == [("a",)]


def test_a_database_that_is_away_when_the_lock_is_to_be_had_costs_one_try(queue, cluster_url, monkeypatch):
    submit(queue)
    honest = execution.held

    @contextlib.contextmanager
    def held(lock):
        with away(cluster_url, queue), honest(lock):
            yield

    monkeypatch.setattr(execution, "held", held)
    work(root, PACE, wait=False)
    assert execute(queue, STATES) == [("todo", 1)]
    assert execute(queue, ATTEMPTS) == [("failed",)]


@contextlib.contextmanager
def worker(url):
    """A worker that is a process of its own, killed at the end."""
    given = dict(os.environ, PYTHONPATH=str(_TREE), ROMAN_DB_URL=url, ROMAN_DB_WORKER_SILENT_S="30")
    words = [sys.executable, "-m", "tests.roman_db.queue.bench_mode", "worker"]
    with subprocess.Popen(words, env=given, cwd=_TREE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.heavy
def test_a_server_that_starts_anew_under_a_job(monkeypatch):
    with short_folder() as folder:
        settings = settings_of(folder / "home")
        server = lifecycle.start(settings).url
        copy_database(server, upgraded(server), "jobs")
        url = url_of(server, "jobs")
        execute(url, TABLES)
        monkeypatch.setenv("ROMAN_DB_URL", url)
        forget()
        submit(url)
        with worker(url):
            wait_for(url, WAITING, [("a",)], 120)
            lifecycle.stop(settings, "immediate")
            time.sleep(3)
            lifecycle.start(settings)
            wait_for(url, STATES, [("todo", 1)], 120)
        execute(url, "DELETE FROM bench.gate", AGAIN)
        with worker(url):
            wait_for(url, STATES, [("succeeded", 2)], 120)
        assert execute(url, "SELECT name FROM bench.unit") == [("a",)]
    forget()
