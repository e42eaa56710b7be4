"""Runs: they account for what they were given, and no end of theirs goes unseen."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil
import psycopg2
import pytest
from alembic.script import ScriptDirectory

from roman_db import migrate, session
from roman_db.load_run import Counts, InputFile, Unreconciled, close_dead_runs, load_run

from .conftest import execute

_RUNS = """
SELECT task, state, n_read, n_loaded, n_unchanged, n_rejected, message, finished_at IS NULL FROM ops.load_run
"""


@dataclass
class Refused:
    where: str = "file.asdf, row 3"
    what: str = "ra is NaN"
    remedy: str = "Give a position"
    code: str = "nan_position"


def test_a_run_from_beginning_to_end(database):
    with load_run("load catalog", {"file": "a.parquet", "columns": ["ra", "dec"]}, expected=6) as run:
        with session.transaction() as connection:
            run.count(connection, loaded=5, unchanged=2)
        with session.transaction() as connection:
            run.reject(connection, Refused())
        assert run.counts() == Counts(read=6, loaded=5, unchanged=2, rejected=1)
        assert execute(database, _RUNS) == [("load catalog", "running", 6, 5, 2, 1, None, True)]
    assert execute(database, _RUNS) == [("load catalog", "succeeded", 6, 5, 2, 1, None, False)]
    where = "SELECT arguments, pid, code_version <> '', schema_version FROM ops.load_run"
    newest = ScriptDirectory.from_config(migrate.alembic_config()).get_current_head()
    arguments = {"file": "a.parquet", "columns": ["ra", "dec"]}
    assert execute(database, where) == [(arguments, os.getpid(), True, newest)]


def test_a_rejection_says_what_where_and_what_to_do(database):
    with load_run("load", {}, expected=1001) as run, session.transaction() as connection:
        run.reject(connection, Refused(), row_number=3)
        run.reject_rows(connection, [])
        many = {"source": "b", "code": "x", "reason": "y", "remedy": "z"}
        run.reject_rows(connection, [many | {"row_number": number} for number in range(1000)])
    query = (
        "SELECT source, row_number, code, reason, remedy FROM ops.load_rejection ORDER BY source, row_number"
    )
    rows = execute(database, query)
    assert len(rows) == 1001
    assert rows[0] == ("b", 0, "x", "y", "z")
    assert rows[-1] == ("file.asdf, row 3", 3, "nan_position", "ra is NaN", "Give a position")
    assert execute(database, _RUNS)[0][2:6] == (1001, 0, 0, 1001)


def test_counts_go_with_the_rows_they_count(database):
    """A unit that is rolled back takes its counts and rejections with it."""
    with load_run("load", {}) as run:
        with session.engine().connect() as connection:
            run.count(connection, loaded=7)
            run.reject(connection, Refused())
            connection.rollback()
        assert run.counts() == Counts(0, 0, 0, 0)
    assert execute(database, "SELECT count(*) FROM ops.load_rejection") == [(0,)]


@pytest.mark.parametrize(
    "change", ["n_loaded = 1", "n_read = 1", "n_read = 1, n_loaded = 1, n_unchanged = 2"]
)
def test_counts_that_do_not_add_up_cannot_be_stored(database, change):
    with load_run("load", {}), pytest.raises(psycopg2.errors.CheckViolation, match="nothing_lost"):
        execute(database, f"UPDATE ops.load_run SET {change}")


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (4, "1 of the inputs that it was given are neither loaded nor rejected"),
        (6, "1 inputs more were counted"),
    ],
)
def test_a_loader_that_drops_an_input_or_counts_one_twice_is_caught(database, counted, words):
    with pytest.raises(Unreconciled, match=words):
        load(counted)
    ((_, state, n_read, n_loaded, _, _, message, is_open),) = execute(database, _RUNS)
    assert (state, n_read, n_loaded, is_open) == ("failed", counted, counted, False)
    assert words in message
    assert execute(database, "SELECT n_expected FROM ops.load_run") == [(5,)]


def load(counted):
    """Be a loader that is given five inputs."""
    with load_run("load", {}, expected=5) as run, session.transaction() as connection:
        run.count(connection, loaded=counted)


def test_what_opening_the_input_tells_takes_the_place_of_what_was_expected(database):
    with load_run("load", {}, expected=1) as run, session.transaction() as connection:
        run.expect(connection, 7)
        run.count(connection, loaded=7)
    assert execute(database, _RUNS)[0][1:4] == ("succeeded", 7, 7)


def test_a_run_cannot_succeed_with_less_than_it_was_given(database):
    with load_run("load", {}):
        pass
    change = "UPDATE ops.load_run SET n_expected = 1, state = '{}'"
    for state in ("succeeded", "partly_failed"):
        with pytest.raises(psycopg2.errors.CheckViolation, match="all_accounted_for"):
            execute(database, change.format(state))
    execute(database, change.format("failed"))


def test_files_that_a_run_was_given(database):
    """What is learnt of a file later is added; of one that cannot be read the path is kept."""
    file = InputFile("catalog", "/in/a.ecsv", "aa", 5)
    with load_run("load", {}) as run, session.transaction() as connection:
        run.record_inputs(connection, [])
        run.record_inputs(connection, [file, InputFile("mapping", "/in/m.yaml", None, None)])
        insert = (
            "INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id) "
            f"VALUES ('catalog', 'a.ecsv', '/in/a.ecsv', 'aa', 5, {run.load_run_id}) RETURNING file_id"
        )
        file_id = connection.exec_driver_sql(insert).scalar_one()
        run.record_inputs(connection, [dataclasses.replace(file, file_id=file_id)])
        run.record_inputs(connection, [file])
    query = (
        "SELECT load_run_id, role, path, sha256, size_bytes, file_id FROM ops.load_run_input ORDER BY role"
    )
    assert execute(database, query) == [
        (1, "catalog", "/in/a.ecsv", "aa", 5, file_id),
        (1, "mapping", "/in/m.yaml", None, None, None),
    ]


def test_a_file_that_is_registered_is_an_input_and_comes_back_as_the_current_one(database):
    """Content is what a file is: the same of another kind, or other content of that name, is another file."""
    file = InputFile("mosaic", "/in/a.asdf", "aa", 5)
    others = (dataclasses.replace(file, role="exposure"), dataclasses.replace(file, sha256="bb"))
    with load_run("load", {}) as run, session.transaction() as connection:
        numbers = [run.register_file(connection, one) for one in (file, *others)]
    assert len(set(numbers)) == 3
    execute(database, "UPDATE ops.input_file SET superseded_at = now()")
    with load_run("load", {}) as again, session.transaction() as connection:
        moved = dataclasses.replace(file, path="/moved/b.asdf")
        assert again.register_file(connection, moved) == numbers[0]
    query = "SELECT kind, filename, path, sha256, size_bytes, load_run_id FROM ops.input_file"
    assert execute(database, f"{query} WHERE superseded_at IS NULL") == [
        ("mosaic", "b.asdf", "/moved/b.asdf", "aa", 5, again.load_run_id)
    ]
    inputs = "SELECT load_run_id, role, path, file_id FROM ops.load_run_input"
    assert set(execute(database, inputs)) == {
        (run.load_run_id, "mosaic", "/in/a.asdf", numbers[2]),
        (run.load_run_id, "exposure", "/in/a.asdf", numbers[1]),
        (again.load_run_id, "mosaic", "/moved/b.asdf", numbers[0]),
    }


@pytest.mark.heavy
def test_counts_from_many_processes_add_up(database):
    with load_run("load", {}, expected=60) as run:
        with multiprocessing.get_context("spawn").Pool(3) as pool:
            pool.starmap(count_often, [(run,)] * 3)
        assert run.counts() == Counts(60, 60, 0, 0)


def count_often(run) -> None:
    for _ in range(20):
        with session.transaction() as connection:
            run.count(connection, loaded=1)


@pytest.mark.parametrize(
    ("error", "state"), [(ValueError("no such file"), "failed"), (KeyboardInterrupt("stop"), "interrupted")]
)
def test_an_exception_closes_the_run_and_goes_on(database, error, state):
    with pytest.raises(type(error)), load_run("load", {}):
        raise error
    message = f"{type(error).__name__}: {error}"
    assert execute(database, _RUNS) == [("load", state, 0, 0, 0, 0, message, False)]


_ENDLESS = """
import time
from roman_db import session
from roman_db.load_run import load_run
from roman_db.schema.metadata import table
with load_run("endless", {}) as run:
    with session.transaction() as connection:
        row = {"mode": "m", "task": "t", "unit": "u", "load_run_id": run.load_run_id}
        connection.execute(table("ops.task_run").insert(), row)
        run.count(connection, loaded=3)
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def endless(database):
    with subprocess.Popen([sys.executable, "-c", _ENDLESS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def states(url):
    return execute(url, "SELECT r.state, t.state, t.finished_at IS NULL FROM ops.load_run r "
                        "JOIN ops.task_run t USING (load_run_id) WHERE r.task = 'endless'")  # fmt: skip


def test_a_killed_process_is_noticed_by_the_next_run(database, endless):
    endless.send_signal(signal.SIGKILL)
    endless.wait()
    assert states(database) == [("running", "running", True)]
    with load_run("next", {}):
        assert states(database) == [("interrupted", "interrupted", False)]
    assert execute(database, f"{_RUNS} WHERE task = 'endless'")[0][2:6] == (3, 3, 0, 0)


@pytest.mark.heavy
def test_a_killed_process_that_nobody_has_buried_counts_as_dead(database, endless):
    """As happens in containers whose first process does not wait for orphans."""
    endless.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.Process(endless.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
    with load_run("next", {}):
        assert states(database) == [("interrupted", "interrupted", False)]


def test_a_run_that_goes_on_is_left_alone(database, endless):
    """Even where the server's clock is behind the machine's by some seconds."""
    execute(database, "UPDATE ops.load_run SET started_at = started_at - interval '20 seconds'")
    with load_run("next", {}):
        assert states(database) == [("running", "running", True)]


@pytest.mark.heavy
def test_a_younger_process_of_the_same_number_is_another(database, endless):
    execute(database, "UPDATE ops.load_run SET started_at = started_at - interval '1 hour'")
    with session.transaction() as connection:
        close_dead_runs(connection)
    assert states(database) == [("interrupted", "interrupted", False)]


@pytest.mark.heavy
def test_runs_of_other_machines_are_left_alone(database, endless):
    execute(database, "UPDATE ops.load_run SET host = 'elsewhere'")
    endless.kill()
    endless.wait()
    with load_run("next", {}):
        assert states(database) == [("running", "running", True)]
