"""A database with the tables of the mode for tests, and workers."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roman_db.cli import root
from roman_db.queue.commands import jobs, worker
from roman_db.queue.worker import Pace, work

from ..conftest import execute
from .bench_mode import TABLES, bench

_TREE = Path(__file__).parents[3]
#: Workers of tests count as dead after a second.
SILENT_S = 1.0
_PATIENCE_S = 30


@pytest.fixture
def queue(database, monkeypatch):
    """URL of a database, and commands that know the mode for tests."""
    execute(database, TABLES)
    monkeypatch.setitem(root.commands["run"].commands, "bench", bench)
    monkeypatch.setitem(root.commands, "jobs", jobs)
    monkeypatch.setitem(root.commands, "worker", worker)
    return database


@pytest.fixture
def start_worker(queue):
    """Start workers that are processes of their own, and that are killed at the end."""
    begun = []

    def start():
        given = dict(
            os.environ, PYTHONPATH=str(_TREE), ROMAN_DB_URL=queue, ROMAN_DB_WORKER_SILENT_S=str(SILENT_S)
        )
        words = [sys.executable, "-m", "tests.roman_db.queue.bench_mode", "worker"]
        begun.append(subprocess.Popen(words, env=given, cwd=_TREE, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def work_here():
    """Do in this process all jobs that may begin now."""
    work(root, Pace(SILENT_S, 0.2), wait=False)


def wait_for(url, query, rows, patience_s=_PATIENCE_S):
    """Wait until a query gives these rows."""
    deadline = time.monotonic() + patience_s
    while (found := execute(url, query)) != rows:
        assert time.monotonic() < deadline, f"{query}: {found}, not {rows}"
        time.sleep(0.05)
