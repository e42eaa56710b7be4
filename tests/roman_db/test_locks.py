"""Locks of what runs touch: whole and parts, by hand and by workers, on whatever machine."""

import os

import pytest
import sqlalchemy as sa

from roman_db import session
from roman_db.jobs import Mode, Task, Unit, itself, run_mode
from roman_db.locks import LockHeld, LockLost, held, lock_names, touching
from tests.loaders.light_curve import killed
from tests.roman_db.conftest import execute

_SEASON = Mode("season", "for tests", (), "results", ("survey", "season"))


@pytest.mark.parametrize(
    ("mine", "other", "meet"),
    [
        ((), (), True),
        ((), ("a",), True),
        (("a",), (), True),
        (("a", "1"), ("a",), True),
        (("a", "1"), (), True),
        (("a", "1"), ("a", "1"), True),
        (("a", "1"), ("a", "2"), False),
        (("a", "1"), ("b",), False),
    ],
)
def test_runs_meet_where_one_part_lies_in_the_other(database, mine, other, meet):
    with touching("results", mine), touching("others", other), held("results"):
        if meet:
            with pytest.raises(
                LockHeld, match=f"another run works on results.*, process {os.getpid()}, since"
            ):
                touching("results", other).__enter__()
        else:
            with touching("results", other):
                pass
    with touching("results", other):
        pass


def test_the_names_are_those_of_what_a_part_is_of():
    assert lock_names("results", ("a", "1")) == ["results", "results / a", "results / a / 1"]


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"survey": "a", "season": 1}, ["a", "1"]),
        ({"survey": "a", "season": 0}, ["a"]),
        ({"survey": None, "season": 1}, []),
        ({}, []),
    ],
)
def test_what_is_not_said_is_all_of_it(arguments, path):
    assert _SEASON.path(arguments) == path


def test_a_run_that_meets_another_does_nothing(database):
    def run(unit, load_run, progress):
        with pytest.raises(LockHeld):
            run_mode(_SEASON, {"survey": "a"}, progress)
        run_mode(_SEASON, {"survey": "a", "season": 2}, progress)

    task = Task("one", "for tests", lambda arguments: [Unit("u", {})], run)
    mode = Mode("other", "for tests", (task,), "results", ("survey", "season"))
    report = run_mode(mode, {"survey": "a", "season": 1}, lambda *_: None)
    assert (report.succeeded, report.failed) == (["one u"], {})
    assert len(execute(database, "SELECT 1 FROM ops.load_run")) == 2


def test_locks_are_let_go_before_the_server_closes_the_connection(database, monkeypatch):
    monkeypatch.setattr(sa.Connection, "invalidate", lambda self: None)
    with touching("results", ("a",)):
        assert execute(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(3,)]
    assert execute(database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


HELD_HERE = """
FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_a_run_whose_locks_the_server_let_go_of_stores_nothing_more(database):
    begun = []

    def run(unit, load_run, progress):
        begun.append(unit.name)
        if unit.name == "v":
            execute(database, f"SELECT pg_terminate_backend(pid, 10000) {HELD_HERE}")
            assert execute(database, f"SELECT count(*) {HELD_HERE}") == [(0,)]
        with session.transaction() as connection:
            connection.execute(sa.text("INSERT INTO stored VALUES (:name)"), {"name": unit.name})
            load_run.count(connection, loaded=1)

    execute(database, "CREATE TABLE stored (name text)", "GRANT ALL ON stored TO PUBLIC")
    task = Task("one", "for tests", lambda arguments: [Unit(name, {}) for name in "uvw"], run, itself)
    with pytest.raises(LockLost, match="the connection that held the locks of this run is gone"):
        run_mode(Mode("other", "for tests", (task,)), {}, lambda *_: None)
    assert begun == ["u", "v"]
    assert execute(database, "SELECT name FROM stored") == [("u",)]
    units = "SELECT unit, state FROM ops.task_run ORDER BY task_run_id"
    assert execute(database, units) == [("u", "succeeded"), ("v", "failed")]
    assert execute(database, "SELECT state FROM ops.load_run") == [("failed",)]


def hold_and_die():
    with touching("results", ()):
        killed.kill_me()


@pytest.mark.heavy
def test_a_run_that_is_killed_lets_go(database):
    assert killed.in_process(hold_and_die) == -9
    with touching("results", ()):
        pass
