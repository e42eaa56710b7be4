"""Workers on several hosts: network namespaces, each with a name and a link to the server."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.cluster import lifecycle
from roman_db.queue import storage
from roman_db.queue.job import Job
from tests.roman_db.cluster.conftest import settings_of, short_folder, unused_port

from ..conftest import copy_database, execute, forget, upgraded, url_of
from .bench_mode import TABLES
from .conftest import SILENT_S, wait_for
from .hosts import hosts

_TREE = Path(__file__).parents[3]
_PATIENCE_S = 120
_PASSWORD = "of the tests alone"
DOING = "SELECT host, command FROM ops.queue_job WHERE state = 'doing' ORDER BY host"
NOT_DONE = "SELECT count(*) FROM ops.queue_job WHERE state <> 'succeeded'"
UNITS = "SELECT name FROM bench.unit ORDER BY name"
#: Hosts that gave a sign of life a moment ago, in the middle of a unit of a job.
AT_WORK = """
SELECT host FROM ops.queue_job
WHERE state = 'doing' AND last_heartbeat > now() - interval '3 seconds'
    AND right(command, 1) IN (SELECT name FROM bench.waiting)
ORDER BY host
"""
#: What became of the attempts at a job, but for those that came too early.
ATTEMPTS = """
SELECT host, state FROM ops.job_attempt NATURAL JOIN (SELECT job_id, command FROM ops.queue_job) AS job
WHERE right(command, 1) = '{}' AND state <> 'postponed' ORDER BY host
"""


@pytest.fixture
def server(monkeypatch):
    """URL of a database for this machine, and the port at which hosts reach its server."""
    with short_folder() as folder:
        settings = settings_of(folder / "home", pg_port=unused_port())
        url = lifecycle.start(settings).url
        execute(url, f"ALTER ROLE roman_admin PASSWORD '{_PASSWORD}'")
        execute(url, "ALTER SYSTEM SET listen_addresses = '*'")
        lifecycle.stop(settings)
        lifecycle.start(settings)
        with (settings.home / "cluster/pg_hba.conf").open("a") as file:
            file.write("host all all 198.18.0.0/15 scram-sha-256\n")
        execute(url, "SELECT pg_reload_conf()")
        copy_database(url, upgraded(url), "jobs")
        jobs = url_of(url, "jobs")
        execute(jobs, TABLES)
        monkeypatch.setenv("ROMAN_DB_URL", jobs)
        forget()
        yield jobs, settings.pg_port
        forget()


@contextlib.contextmanager
def worker(host, port, log):
    """A worker on a host, killed at the end."""
    url = sa.URL.create("postgresql", "roman_admin", _PASSWORD, host.server, port, "jobs")
    own = {"ROMAN_DB_URL": url.render_as_string(False), "ROMAN_DB_WORKER_SILENT_S": str(SILENT_S)}
    words = host.words([sys.executable, "-m", "tests.roman_db.queue.bench_mode", "worker"])
    given = dict(os.environ, PYTHONPATH=str(_TREE), **own)
    with log.open("w") as said, subprocess.Popen(words, env=given, cwd=_TREE, stderr=said) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_words(log, words):
    """Wait until a worker says some words."""
    deadline = time.monotonic() + _PATIENCE_S
    while words not in log.read_text():
        assert time.monotonic() < deadline, f"{words!r} is not said: {log.read_text()}"
        time.sleep(0.1)


def submit(url, *names, gated=False):
    """Put a job into the queue for each name, none of which keeps another from its turn."""
    for name in names:
        if gated:
            execute(url, f"INSERT INTO bench.gate VALUES ('{name}')")
        with session.transaction() as connection:
            storage.submit(connection, Job(("run", "bench", "--names", name), lock=name, backoff_s=0))


def both_at_work(url):
    """Wait until each host has a job in its hands, and return the names of these by host."""
    wait_for(url, AT_WORK, [("alpha",), ("beta",)], _PATIENCE_S)
    return {host: command.split()[-1] for host, command in execute(url, DOING)}


@pytest.mark.heavy
def test_a_host_that_is_cut_off_loses_its_job_and_comes_back(server, tmp_path):
    url, port = server
    with (
        hosts("alpha", "beta") as (alpha, beta),
        worker(alpha, port, tmp_path / "alpha") as first,
        worker(beta, port, tmp_path / "beta"),
    ):
        submit(url, "a", "b", gated=True)
        at_alpha = both_at_work(url)["alpha"]
        submit(url, *"cdef")

        alpha.cut()
        execute(url, "DELETE FROM bench.gate")
        wait_for(url, NOT_DONE, [(0,)], _PATIENCE_S)
        ended = [("alpha", "lost"), ("beta", "succeeded")]
        assert execute(url, ATTEMPTS.format(at_alpha)) == ended
        assert execute(url, UNITS) == [(name,) for name in "abcdef"]

        wait_for_words(tmp_path / "alpha", "the server is out of reach")  # its connections are given up
        alpha.mend()
        submit(url, "g", "h", gated=True)
        both_at_work(url)
        execute(url, "DELETE FROM bench.gate")
        wait_for(url, NOT_DONE, [(0,)], _PATIENCE_S)
        assert first.poll() is None
        assert execute(url, UNITS) == [(name,) for name in "abcdefgh"]
