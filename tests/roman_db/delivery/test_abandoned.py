"""Deliveries whose makers are gone, or failed as nobody foresaw, are made again by the next round."""

from __future__ import annotations

import pytest

from roman_db import session
from roman_db.delivery import inputs
from roman_db.locks import held, is_held

from .conftest import ask, change
from .test_delivery import DAILY, DAY, SERIES, STATE
from .test_send import STATES, one_day

__all__ = ["one_day"]

#: A run of another machine, which nobody asks for processes, has begun a version and is gone.
BEGUN = (
    "INSERT INTO ops.load_run (task, arguments, state, code_version, schema_version, host, pid) "
    "VALUES ('deliveries make', '{}', 'running', '1', '1', 'elsewhere', 1)",
    "INSERT INTO ops.delivery (name, rule, survey, season, start_mjd, end_mjd, version, is_partial, "
    f"load_run_id) SELECT '{SERIES}_v1', 'daily', 'gbtds', 1, {DAY}, {DAY + 1}, 1, false, max(load_run_id) "
    "FROM ops.load_run",
)
RUNS = "SELECT state FROM ops.load_run WHERE host = 'elsewhere'"


@pytest.fixture
def begun(one_day):
    """What a maker leaves that is gone."""
    change(*BEGUN)
    folder = one_day.staging(f"{SERIES}_v1")
    folder.mkdir(parents=True)
    (folder / "half").write_text("a file")
    return one_day


@pytest.mark.heavy
def test_what_a_machine_that_is_gone_began_is_made_again(begun, run):
    assert run("send").output == f"{SERIES}_v2 is published as delivery 2\n"
    assert ask(STATES) == [(f"{SERIES}_v1", "failed"), (f"{SERIES}_v2", "published")]
    assert "ended before it was whole" in ask(STATE)[0][1]
    assert ask(RUNS) == [("interrupted",)]
    assert list(begun.staging("x").parent.iterdir()) == []


def test_what_somebody_makes_is_left_to_him(begun, run):
    with held(f"making {SERIES}"), session.transaction() as connection:
        assert is_held(connection, f"making {SERIES}")
        assert run("send").output == ""
        assert f"{SERIES} is being made: " in run("make", *DAILY).output
        assert ask(STATES) == [(f"{SERIES}_v1", "making")]
        assert ask(RUNS) == [("running",)]
    with session.transaction() as connection:
        assert not is_held(connection, f"making {SERIES}")


@pytest.mark.heavy
def test_what_nobody_foresaw_ends_a_delivery_too(one_day, run, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(inputs, "read_inputs", fail)
        done = run("send")
    assert done.exit_code == 1
    assert "could not be made: ZeroDivisionError('a fault of ours')" in done.output
    assert ask(STATE) == [("failed", "ZeroDivisionError('a fault of ours')")]
    assert list(one_day.staging("x").parent.iterdir()) == []
    assert run("send").output == f"{SERIES}_v2 is published as delivery 2\n"


@pytest.mark.heavy
def test_who_loses_the_lock_while_making_gives_up(one_day, run, monkeypatch):
    """Another process finds the delivery abandoned while its maker still works on it."""
    read = inputs.read_inputs

    def late(*words: object):
        change("UPDATE ops.delivery SET state = 'failed', message = 'run 1 ended before it was whole'")
        return read(*words)

    monkeypatch.setattr(inputs, "read_inputs", late)
    assert "it was given up while it was made: run 1 ended" in run("make", *DAILY).output
    assert ask("SELECT DISTINCT state FROM ops.product") == [("dropped",)]
    assert [state for state, _ in ask(STATE)] == ["failed"]
