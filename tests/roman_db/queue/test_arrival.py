"""Watched folders: files that grow are left alone, settled ones are loaded once, changed ones again."""

import os
from pathlib import Path

import pytest

from roman_db import session
from roman_db.queue import arrival
from roman_db.queue.arrival import command_words, submit_arrived
from roman_db.queue.watched_files import look
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


@pytest.fixture
def compared(monkeypatch):
    """Names of the files that each look had compared with what is written down."""
    names, note = [], arrival._note

    def noting(connection, folder, seen):
        names.append([Path(file.path).name for file in seen])
        note(connection, folder, seen)

    monkeypatch.setattr(arrival, "_note", noting)
    return names


def test_what_is_as_at_the_last_look_is_not_compared_again(queue, incoming, compared):
    for name in ("a.txt", "b.txt"):
        (incoming / name).write_text(name)
    assert len(arrived()) == 1
    assert arrived() == []
    (incoming / "c.txt").write_text("new")
    assert len(arrived()) == 1
    assert compared == [["a.txt", "b.txt"], ["c.txt"]]


def replace_in_place(path):
    """Other bytes, as many as before, in the same file."""
    with path.open("r+") as file:
        file.write("two")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1000))


def rename_into_place(path):
    """Another file that is older and as large."""
    other = path.with_name("other.tmp")
    other.write_text("two")
    os.utime(other, (0, 0))
    other.rename(path)


@pytest.mark.parametrize("replace", [replace_in_place, rename_into_place])
def test_a_file_that_is_replaced_is_loaded_again(queue, incoming, compared, replace):
    for name in ("a.txt", "b.txt"):
        (incoming / name).write_text("one")
    arrived()
    replace(incoming / "a.txt")
    assert len(arrived()) == 1
    assert commands(queue)[1:] == [f"run bench --names {incoming}/a.txt"]
    assert compared[1:] == [["a.txt"]]


def test_a_file_that_went_and_came_back_as_it_was_is_not_loaded_again(queue, incoming):
    (incoming / "a.txt").write_text("one")
    assert len(arrived()) == 1
    (incoming / "a.txt").rename(incoming / "a.tmp")
    assert arrived() == []
    (incoming / "a.tmp").rename(incoming / "a.txt")
    assert arrived() == []


def test_a_file_whose_row_was_removed_is_loaded_again(queue, incoming):
    for name in ("a.txt", "b.txt"):
        (incoming / name).write_text("one")
    arrived()
    execute(queue, f"DELETE FROM ops.arrived_file WHERE path = '{incoming}/a.txt'")
    assert len(arrived()) == 1
    assert commands(queue)[1:] == [f"run bench --names {incoming}/a.txt"]


def test_a_look_that_came_to_nothing_is_no_last_look(queue, incoming, compared):
    def fail():
        with session.transaction() as connection:
            submit_arrived(connection)
            raise ZeroDivisionError

    (incoming / "a.txt").write_text("one")
    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(arrived()) == 1
    assert compared == [["a.txt"], ["a.txt"]]


def test_after_the_look_of_another_process_all_is_compared(queue, incoming, compared):
    (incoming / "a.txt").write_text("one")
    arrived()
    execute(queue, "UPDATE ops.watched_folder SET looked_at = now()")
    assert arrived() == []
    assert compared == [["a.txt"], ["a.txt"]]


@pytest.mark.parametrize(
    "pattern",
    ["*.txt", "**/*.txt", "*/*.txt", "**/er/*.txt", "deep/**/*.txt", "**/**/c.txt", "d*/[e]r/?.txt", "x"],
)
def test_a_pattern_finds_what_it_finds_in_pathlib(tmp_path, pattern):
    for name in ("a.txt", ".hidden.txt", "deep/b.txt", "deep/er/c.txt", "deep/er/d.dat", "er/e.txt", "x/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "linked").symlink_to(tmp_path / "deep")
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    (tmp_path / "f.txt").symlink_to(tmp_path / "a.txt")
    wanted = sorted(str(path) for path in tmp_path.glob(pattern) if path.is_file())
    assert [seen.path for seen in look(tmp_path, pattern)] == wanted


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
