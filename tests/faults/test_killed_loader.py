"""kill -9 of a loader at many moments, then the same command again: the rows of an undisturbed run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
import psutil
import pytest

from roman_db import migrate
from tests.faults.command_line import succeed
from tests.faults.databases import State, copied
from tests.faults.killed import KILLED, Kill, run
from tests.faults.rows import assert_same, stored_rows
from tests.faults.survey import DAYS, Survey
from tests.roman_db.conftest import execute

#: What is run, on which state, and what is done before (by the same command line).
COMMANDS = {
    "load exposure": State.NEW,
    "load catalog": State.LOADED,
    "run daily": State.LOADED,
}


def words(command: str, survey: Survey) -> tuple[object, ...]:
    """Arguments of a command on the survey."""
    return {
        "load exposure": ("load", "exposure", *survey.exposures()[:2], survey.folder / "missing_cal.asdf"),
        "load catalog": ("load", "catalog", survey.folder / "again.ecsv", "--name", "catalog"),
        "run daily": ("run", "daily", "--day", DAYS[0]),
    }[command]


@pytest.fixture
def disturbed(survey, tmp_path):
    """The survey with a catalog in which half of the stars have moved and some are new."""
    own = survey.copy(tmp_path / "own")
    text = own.catalog.read_text().splitlines(keepends=True)
    head = [line for line in text if line.startswith("#")] + [
        text[sum(line.startswith("#") for line in text)]
    ]
    rows = [line.split() for line in text[len(head) :]]
    for number, row in enumerate(rows):
        if number % 2:
            row[1] = f"{float(row[1]) + 1e-8:.12f}"
    rows += [
        [str(int(row[0]) + 9000), row[1], f"{float(row[2]) + 1e-4:.12f}", *row[3:]] for row in rows[:200]
    ]
    (own.folder / "again.ecsv").write_text("".join(head) + "".join(" ".join(row) + "\n" for row in rows))
    return own


@pytest.fixture
def fresh(cluster_url, survey, monkeypatch):
    """Make databases in a state, each used from then on until the next."""
    with contextlib.ExitStack() as stack:
        yield lambda state: stack.enter_context(copied(cluster_url, survey, state, monkeypatch))


def check(command: str, survey: Survey, fresh, fractions: Sequence[float]) -> None:
    """Kill a command after fractions of its steps, each time on a database of its own."""
    arguments = words(command, survey)
    url = fresh(COMMANDS[command])
    whole = run(arguments)
    undisturbed = stored_rows(url)
    assert whole.n_step > 10
    for step in sorted({max(1, round(fraction * whole.n_step)) for fraction in fractions}):
        url = fresh(COMMANDS[command])
        assert run(arguments, Kill("loader", step)).code == KILLED
        again = run(arguments)
        assert again.code == whole.code, again
        assert_same(stored_rows(url), undisturbed)
        check_runs(url, command, survey)


def given(command: str, survey: Survey) -> int:
    """How many inputs a command has to account for, counted here: files, rows, exposures."""
    catalog = survey.folder / "again.ecsv"
    is_row = [not line.startswith("#") for line in catalog.read_text().splitlines()]
    return {
        "load exposure": 3,
        "load catalog": sum(is_row) - 1,
        "run daily": len(survey.exposures(day=DAYS[0])) + len(survey.exposures("F087")),
    }[command]


def check_runs(url: str, command: str, survey: Survey) -> None:
    """The killed run is marked, and every run accounts for what it was given."""
    ours = f"SELECT state FROM ops.load_run WHERE task = '{command}' ORDER BY load_run_id"
    states = [state for (state,) in execute(url, ours)]
    assert set(states) <= {"interrupted", "succeeded"}
    assert states[-1] == "succeeded"
    sums = "SELECT sum(n_loaded + n_rejected), max(n_expected) FROM ops.load_run WHERE task = '{}' {}"
    # The exposures that the killed run had stored are not listed again.
    which = "" if command == "run daily" else "AND load_run_id = (SELECT max(load_run_id) FROM ops.load_run)"
    ((n_account, n_expected),) = execute(url, sums.format(command, which))
    assert (n_account, n_expected) == (given(command, survey), given(command, survey))
    lost = (
        "SELECT count(*) FROM ops.load_run WHERE n_read <> n_loaded + n_rejected OR finished_at IS NULL "
        "OR (state = 'succeeded' AND n_read <> n_expected)"
    )
    assert execute(url, lost) == [(0,)]
    assert execute(url, "SELECT count(*) FROM ops.task_run WHERE state = 'running'") == [(0,)]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_many_moments(command, disturbed, fresh):
    check(command, disturbed, fresh, np.linspace(0, 1, 40))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_killed_as_users_start_it(command, fraction, disturbed, fresh, monkeypatch):
    """The installed command with two workers, killed after a fraction of its time; no process is left."""
    arguments = words(command, disturbed)
    url = fresh(COMMANDS[command])
    monkeypatch.setenv("ROMAN_DB_WORKERS", "2")
    begin = time.monotonic()
    code = start(arguments).wait()
    duration = time.monotonic() - begin
    undisturbed = stored_rows(url)

    url = fresh(COMMANDS[command])
    monkeypatch.setenv("ROMAN_DB_WORKERS", "2")
    process = start(arguments)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(fraction * duration)
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    process.wait()
    assert psutil.wait_procs(family, timeout=30)[1] == []
    assert start(arguments).wait() == code
    assert_same(stored_rows(url), undisturbed)


def start(arguments) -> subprocess.Popen:
    """``roman-db`` as a user starts it."""
    program = os.path.join(os.path.dirname(sys.executable), "roman-db")  # noqa: PTH118, PTH120
    return subprocess.Popen(
        [program, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_workers_do_not_outlive_a_killed_loader(survey, fresh, monkeypatch):
    """A pool's workers wait for work that never comes; they must notice."""
    fresh(State.NEW)
    monkeypatch.setenv("ROMAN_DB_WORKERS", "2")
    migrate.ensure_current()
    process = start(("load", "exposure", survey.folder))
    family: list[psutil.Process] = []
    while process.poll() is None and len(family) < 4:  # resource tracker, fork server, two workers
        family = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert len(family) == 4
    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_interrupted_run_is_closed_by_the_next_command(survey, fresh):
    arguments = ("load", "exposure", survey.exposures()[0])
    fresh(State.NEW)
    last = run(arguments).n_step
    url = fresh(State.NEW)
    assert run(arguments, Kill("loader", last)).code == KILLED
    assert execute(url, "SELECT state, finished_at FROM ops.load_run") == [("running", None)]
    succeed("run", "daily", "--detector", "WFI01")
    assert execute(url, "SELECT state FROM ops.load_run ORDER BY load_run_id") == [
        ("interrupted",),
        ("succeeded",),
    ]
