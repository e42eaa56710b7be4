"""Watched folders: files that grow are left alone, settled ones are loaded once, changed ones again."""

import os

import pytest

from roman_db import session
from roman_db.queue.arrival import command_words, look, submit_arrived
from tests.faults.command_line import roman_db, succeed

from ..conftest import execute
from .conftest import work_here

COMMANDS = "SELECT command FROM ops.queue_job ORDER BY job_id"


def arrived(every_s=0):
    with session.transaction() as connection:
        return submit_arrived(connection, every_s)


@pytest.fixture
def incoming(queue, tmp_path):
    """A folder that is watched; its files count as settled when they are first seen."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    chosen = "--pattern", "**/*.txt", "--settle", 0
    succeed("jobs", "watch", folder, *chosen, "--command", "run bench --names {files}")
    return folder


def settle(queue, seconds):
    execute(queue, f"UPDATE ops.watched_folder SET settle_s = {seconds}")


def commands(queue):
    return [command for (command,) in execute(queue, COMMANDS)]


def test_a_file_is_submitted_once(queue, incoming):
    (incoming / "a.txt").write_text("one")
    (incoming / "a.tmp").write_text("not yet whole")
    assert len(arrived()) == 1
    assert arrived() == []
    assert commands(queue) == [f"run bench --names {incoming}/a.txt"]
    work_here()
    assert execute(queue, "SELECT name FROM bench.unit") == [(f"{incoming}/a.txt",)]


def test_a_file_that_grows_is_left_alone_until_it_stays_as_it_is(queue, incoming):
    settle(queue, 3600)
    path = incoming / "a.txt"
    for text in ("o", "on", "one"):
        path.write_text(text)
        assert arrived() == []
    execute(queue, "UPDATE ops.arrived_file SET changed_at = changed_at - interval '2 hours'")
    path.write_text("one, and more")
    assert arrived() == []
    execute(queue, "UPDATE ops.arrived_file SET changed_at = changed_at - interval '2 hours'")
    assert len(arrived()) == 1


def test_a_file_that_changed_is_loaded_again(queue, incoming):
    (incoming / "a.txt").write_text("one")
    arrived()
    os.utime(incoming / "a.txt", (0, 0))
    assert len(arrived()) == 1


def test_what_is_as_it_was_is_not_written_again(queue, incoming):
    for name in ("a.txt", "b.txt"):
        (incoming / name).write_text(name)
    arrived()
    written = "SELECT path, xmin::text, xmax::text FROM ops.arrived_file ORDER BY path"
    before = execute(queue, written)
    (incoming / "b.txt").write_text("changed")
    assert len(arrived()) == 1
    after = execute(queue, written)
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_folder_that_was_looked_at_just_now_is_left_to_the_next_time(queue, incoming):
    arrived()
    (incoming / "a.txt").write_text("one")
    assert arrived(every_s=3600) == []
    assert len(arrived()) == 1


def test_files_of_folders_below_go_together(queue, incoming):
    for name in ("b.txt", "deep/er/c.txt", "a.txt"):
        (incoming / name).parent.mkdir(parents=True, exist_ok=True)
        (incoming / name).write_text(name)
    assert len(arrived()) == 1
    assert execute(queue, "SELECT count(*), count(DISTINCT job_id) FROM ops.arrived_file") == [(3, 1)]


def test_a_folder_that_is_not_there_has_a_row_that_says_so(queue, incoming):
    incoming.rmdir()
    assert arrived() == []
    assert "No such file or directory" in execute(queue, "SELECT problem FROM ops.watched_folder")[0][0]
    incoming.mkdir()
    (incoming / "a.txt").write_text("one")
    assert len(arrived()) == 1
    assert execute(queue, "SELECT problem FROM ops.watched_folder") == [(None,)]


def test_what_is_no_plain_file_is_not_seen(tmp_path):
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.txt").write_text("three")
    assert [(seen.path, seen.size) for seen in look(tmp_path, "*.txt")] == [(str(tmp_path / "c.txt"), 5)]


def test_names_with_spaces_stay_whole():
    words = command_words("load exposure {files} --keep 'a b'", ["/in/x y.asdf", "/in/z.asdf"])
    assert words == ("load", "exposure", "/in/x y.asdf", "/in/z.asdf", "--keep", "a b")


def test_an_operator_sees_what_is_watched(queue, incoming):
    (incoming / "a.txt").write_text("one")
    arrived()
    shown = succeed("jobs", "folders").out.splitlines()
    assert shown[1].split()[:2] == [str(incoming), "**/*.txt"]
    succeed("jobs", "watch", incoming, "--pattern", "*.txt", "--command", "run bench", "--disable")
    assert execute(queue, "SELECT pattern, is_enabled FROM ops.watched_folder") == [("*.txt", False)]
    (incoming / "b.txt").write_text("two")
    assert arrived() == []
    assert "is no command" in roman_db("jobs", "watch", incoming, "--command", "run nothing {files}").err
