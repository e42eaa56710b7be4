"""``roman-db cluster backup``, ``backups`` and ``restore`` as an operator types them."""

import json
import subprocess
import time

import pytest
from click.testing import CliRunner

from roman_db.backup import commands as ours
from roman_db.cluster import lifecycle
from roman_db.cluster.backup_folder import BackupFolder
from roman_db.cluster.commands import cluster
from roman_db.cluster.error import ClusterError
from tests.roman_db.backup.conftest import Server, copied
from tests.roman_db.backup.test_restore import archived, spoil
from tests.roman_db.cluster.conftest import settings_of


@pytest.fixture
def run(server, monkeypatch):
    monkeypatch.setattr("roman_db.settings.settings", lambda: server.settings)
    commands = {
        "backup": ours.backup_command,
        "backups": ours.backups_command,
        "restore": ours.restore_command,
    }
    return lambda name, *words: CliRunner().invoke(commands[name], words)


def test_commands_are_those_of_the_private_server():
    root = type(cluster)(commands={"cluster": cluster})
    ours.commands(root)
    assert {"backup", "backups", "restore"} <= set(cluster.commands)


def test_backups_are_made_listed_checked_and_restored(run, server):
    server.write(1, 10)
    made = run("backup", "--keep", "1")
    assert made.output.endswith("MiB\n"), made.output
    moment = server.write(11, 20)
    again = run("backup", "--keep", "1")
    assert "removed" in again.output
    archived(server)
    listed = json.loads(run("backups", "--check", "--json").output)
    assert (len(listed["backups"]), listed["archive"]["timeline"], listed["faults"]) == (1, 1, [])
    too_early = run("restore", "--to", moment.isoformat())
    assert "no base backup" in str(too_early.exception)
    done = run("restore")
    assert "timeline 2 begins" in done.output
    assert server.kept() == 20
    assert run("restore", "--to", "yesterday").exit_code == 2


@pytest.mark.heavy
@pytest.mark.parametrize("what", ["base backup", "log"])
def test_check_reads_everything_and_fails_where_a_byte_is_wrong(run, server, what):
    server.write(1, 10)
    assert run("backup").exit_code == 0
    server.write(11, 20)
    log = archived(server)
    folder = BackupFolder(server.settings.backup_folder)
    assert run("backups", "--check").exit_code == 0
    if what == "log":
        spoil(folder.wal / str(log[-1]), at=300)
        words = "cannot be read"
    else:
        [file] = folder.base.glob("*/data/PG_VERSION")
        spoil(file, at=0)
        words = "the base backup is damaged"
    checked = run("backups", "--check")
    assert checked.exit_code == 1
    assert words in checked.output


@pytest.mark.heavy
def test_a_folder_belongs_to_one_cluster(server, folder):
    server.write(1, 10)
    lifecycle.stop(server.settings)
    lifecycle.start(settings_of(folder / "fresh"))
    lifecycle.stop(settings_of(folder / "fresh"))
    other = settings_of(folder / "fresh", backup_folder=server.settings.backup_folder)
    with pytest.raises(ClusterError, match="has the backups of another cluster"):
        lifecycle.start(other)


def test_a_server_started_before_it_had_a_folder_says_so(run, server, folder):
    lifecycle.start(settings_of(folder / "home"))
    assert "runs without archiving its log" in str(run("backup").exception)


@pytest.mark.heavy
def test_a_full_disk_is_told_leaves_no_backup_and_loses_no_log(
    run, folder, finished_home, ask, tmpfs, monkeypatch
):
    disk = tmpfs(80)
    copied(finished_home, folder / "home")
    full = Server(settings_of(folder / "home", backup_folder=disk / "backup"), ask)
    monkeypatch.setattr("roman_db.settings.settings", lambda: full.settings)
    full.write(1, 10)
    assert run("backup").exit_code == 0
    failed = run("backup")
    assert "the disk is full" in str(failed.exception)
    assert len(json.loads(run("backups", "--json").output)["backups"]) == 1
    (disk / "filler").write_bytes(b"x" * (disk_free(disk) - 4096))
    full.write(11, 20)
    full.ask("SELECT pg_switch_wal()")
    wait_until(lambda: "cannot be archived" in run("backups").output)
    (disk / "filler").unlink()
    # The server tries again by the minute, and when it ends.
    assert len(archived(full)) >= 2
    assert run("backups").exit_code == 0


def disk_free(disk):
    return int(subprocess.check_output(["df", "--output=avail", "-B1", disk]).split()[-1])


def wait_until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")
