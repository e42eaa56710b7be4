"""What runs commands in processes of their own leaves nothing behind."""

import tempfile

import pytest

from tests.faults.killed import KILLED, Kill, run, run_all


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The temporary directory of a test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_commands_that_end_leave_no_files(temporary):
    outcomes = run_all([["--version"], ["no-such-command"]])
    assert [outcome.code for outcome in outcomes] == [0, 2]
    assert "no-such-command" in outcomes[1].text
    assert list(temporary.glob("killed-*")) == []


def test_a_killed_command_leaves_no_files(temporary, new_database):
    assert run(["status"], Kill("loader", 2)).code == KILLED
    assert list(temporary.glob("killed-*")) == []
