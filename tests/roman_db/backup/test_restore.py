"""Base backups and the log, restored to moments; what is damaged or missing is told and nothing replaced."""

import contextlib
import dataclasses
import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from roman_db.backup.restore import Wish, restore
from roman_db.backup.take import forget, take
from roman_db.cluster import lifecycle
from roman_db.cluster.backup_folder import BackupFolder, backups
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.wal_archive import segments
from tests.roman_db.backup.conftest import Server
from tests.roman_db.cluster.conftest import settings_of


def folder_of(server):
    return BackupFolder(server.settings.backup_folder)


def spoil(path, at=None):
    """Change one byte of a file, in the middle unless it is said where."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 0xFF
    path.write_bytes(content)


def archived(server):
    """Make the server archive all that it has committed, and return the segments."""
    server.ask("SELECT pg_current_xact_id()")
    lifecycle.stop(server.settings)
    return segments(folder_of(server).wal)


@pytest.mark.heavy
def test_moments_are_restored_one_after_the_other_and_what_was_left_can_be_had_again(server, folder):
    server.write(1, 10)
    backup = take(server.settings)
    first = server.write(11, 20)
    second = server.write(21, 30)
    server.ask("DROP TABLE kept")
    done = restore(server.settings, Wish(second))
    assert (server.kept(), done.backup, done.reached.timeline) == (30, backup, 2)
    assert first < done.reached.last_commit <= second
    assert (done.before / "PG_VERSION").exists()
    assert server.ask("SHOW data_checksums") == [("on",)]
    server.write(31, 35)
    assert restore(server.settings, Wish(first)).reached.timeline == 3
    assert server.kept() == 20
    assert restore(server.settings, Wish(timeline=2)).reached.timeline == 4
    assert server.kept() == 35


@pytest.mark.heavy
def test_a_server_that_was_killed_and_whose_files_are_broken_gives_all_that_was_committed(server):
    server.write(1, 10)
    take(server.settings)
    server.write(11, 20)
    os.kill(lifecycle.status(server.settings).pid, signal.SIGKILL)
    (server.settings.home / "cluster/global/pg_control").write_bytes(b"")
    with pytest.raises(ClusterError):
        lifecycle.start(server.settings)
    restore(server.settings, Wish())
    assert server.kept() == 20


@pytest.mark.heavy
def test_a_database_that_was_dropped_is_restored_to_the_moment_before(server):
    """There is a commit between that moment and the drop, before which the log can stop."""
    server.write(1, 10)
    take(server.settings)
    moment = server.write(11, 20)
    server.write(21, 30)
    address = sa.make_url(lifecycle.ensure_running(server.settings)).set(database="postgres")
    server.ask_url(address.render_as_string(hide_password=False), "DROP DATABASE roman WITH (FORCE)")
    passfile = Layout(server.settings.home).passfile
    password = passfile.read_bytes()
    restore(server.settings, Wish(moment))
    assert server.kept() == 20
    assert passfile.read_bytes() == password


@pytest.mark.heavy
@pytest.mark.parametrize("step", [1, 2])
def test_a_restore_that_is_killed_while_it_swaps_leaves_no_password_of_another_cluster(
    server, free_port, step
):
    """Before the cluster that is there is moved away, and before the new one takes its place."""
    settings = server.settings.model_copy(update={"pg_port": free_port})
    server = dataclasses.replace(server, settings=settings)
    server.write(1, 10)
    take(settings)
    server.write(11, 20)
    child = os.fork()
    if child == 0:
        die_before_rename(step)
        restore(settings, Wish())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    if step == 1:
        assert by_password(settings) == 20
    else:
        with pytest.raises(ClusterError, match="roman-db cluster restore"):
            lifecycle.start(settings)
    restore(settings, Wish())
    assert by_password(settings) == 20


def die_before_rename(step):
    """Kill this process before it moves a cluster for the so manyth time."""
    honest, moved = Path.replace, []

    def replace(path, target):
        moved.extend([path] if path.name == "cluster" else [])
        if len(moved) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(path, target)

    Path.replace = replace


def by_password(settings):
    """How many numbers there are, read over TCP with the password of the home."""
    status = lifecycle.start(settings)
    host, port = status.tcp_address.rsplit(":", 1)
    passfile = Layout(settings.home).passfile
    login = {"host": host, "port": port, "user": "roman_admin", "dbname": "roman", "passfile": str(passfile)}
    with contextlib.closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept")
        return cursor.fetchone()[0]


@pytest.mark.heavy
def test_a_cluster_that_is_lost_is_not_replaced_by_an_empty_one(server):
    server.write(1, 10)
    take(server.settings)
    server.write(11, 20)
    archived(server)
    shutil.rmtree(server.settings.home)
    with pytest.raises(ClusterError, match=r"has backups of one.*roman-db cluster restore"):
        lifecycle.start(server.settings)
    restore(server.settings, Wish())
    assert server.kept() == 20


@pytest.mark.heavy
def test_a_drill_elsewhere_leaves_backups_and_log_as_they_were(server, folder, ask):
    server.write(1, 10)
    take(server.settings)
    moment = server.write(11, 20)
    archived(server)
    before = sorted(path.name for path in folder_of(server).root.rglob("*"))
    drill = Server(settings_of(folder / "drill"), ask)
    restore(drill.settings, Wish(moment, folder_of(server).root))
    assert drill.kept() == 20
    assert sorted(path.name for path in folder_of(server).root.rglob("*")) == before


@pytest.mark.heavy
@pytest.mark.parametrize("moment", ["beyond", "before", "between", "to come"])
def test_a_moment_that_cannot_be_had_is_told(server, moment):
    early = server.write(1, 10)
    take(server.settings)
    server.write(11, 20)
    archived(server)
    if moment == "beyond":
        # No commit after it: whether that is all there was, the log cannot say.
        (server.settings.home / "cluster").rename(server.settings.home / "lost")
    now = datetime.now(UTC)
    wish, words = {
        "before": (Wish(early), "no base backup of timeline 1 was finished by .*; there are: "),
        "between": (Wish(timeline=7), "no base backup of timeline 7 was finished; there are: "),
        "beyond": (Wish(now), "the log ends with a commit at .*, before "),
        "to come": (Wish(now + timedelta(hours=1)), "is still to come"),
    }[moment]
    with pytest.raises(ClusterError, match=words):
        restore(server.settings, wish)
    assert not (server.settings.home / "restoring").exists()
    if moment != "beyond":
        assert server.kept() == 20


@pytest.mark.heavy
@pytest.mark.parametrize("damage", ["broken segment", "end of the log", "file", "missing segment"])
def test_what_is_damaged_is_told_and_the_cluster_that_is_there_stays(server, damage):
    server.write(1, 10)
    backup = take(server.settings)
    for first in (11, 21, 31):
        server.write(first, first + 9)
        server.ask("SELECT pg_switch_wal()")
    log = archived(server)
    folder = folder_of(server)
    if damage == "file":
        spoil(folder.data(backup.label) / "global/pg_filenode.map", at=0)
        words = "the base backup is damaged .*pg_filenode.map"
    elif damage == "missing segment":
        (folder.wal / str(log[-2])).unlink()
        words = f"1 segments of the log are missing, from {log[-2]} to {log[-2]}"
    else:
        last = folder.wal / str(log[-1])
        middle = len(last.read_bytes().rstrip(b"\0")) // 2
        broken = (last, middle) if damage == "end of the log" else (folder.wal / str(log[-2]), 300)
        spoil(broken[0], at=broken[1])
        words = "the log cannot be read from .*: the segment at that place is damaged"
    with pytest.raises(ClusterError, match=words):
        restore(server.settings, Wish())
    assert server.kept() == 40


@pytest.mark.heavy
def test_what_is_not_needed_any_more_is_removed(server):
    server.write(1, 10)
    made = []
    for first in (11, 21, 31):
        made.append(take(server.settings))
        moment = server.write(first, first + 9)
    assert forget(server.settings, 2) == made[:1]
    assert backups(folder_of(server)) == made[1:]
    assert min(segments(folder_of(server).wal)).number == made[1].first_segment
    restore(server.settings, Wish(moment))
    assert server.kept() == 40
