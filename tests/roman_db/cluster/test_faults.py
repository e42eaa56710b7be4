"""What a private server survives: each fault is inflicted for real, and the next command copes with it."""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from roman_db.cluster import lifecycle, lock
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.postmaster import processes
from roman_db.query.status import read_status

from ..conftest import forget
from .conftest import acting_as, installation, settings_of

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
MAKE_TABLE = ("CREATE TABLE kept (n int)", "INSERT INTO kept SELECT generate_series(1, 1000)")
COUNT = "SELECT count(*), sum(n) FROM kept"
# Of points an arcsecond apart, a cone of 3.5 arcseconds around the first holds four.
Q3C = """SELECT count(*) FROM generate_series(0, 19) AS n
    WHERE q3c_radial_query(266.4, -29, 266.4, -29 + n / 3600.0, 3.5 / 3600)"""
ALL_KEPT = [(1000, 500500)]


@contextlib.contextmanager
def roman_db(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``roman-db cluster …`` in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ROMAN_DB_")}
    environment |= {"ROMAN_DB_HOME": str(home), "ROMAN_DB_PG_MEMORY_MB": "256"}
    environment |= {"ROMAN_DB_PG_BIN": str(installation().bin)}
    with subprocess.Popen(
        [sys.executable, "-m", "roman_db.cluster", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process


def wait_until(condition, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def fingerprint(folder):
    """Names, sizes and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def write_pid_file(home, pid):
    """The pid file of a server that had the number ``pid`` and was up when it died."""
    data = home / "cluster"
    lines = [pid, data, int(time.time()) - 3600, 5432, home / "run", "", "  5432001  99", "ready   "]
    (data / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")


def server_user(home):
    return pwd.getpwuid((home / "cluster").stat().st_uid)


class TestStalePidFile:
    def test_of_a_dead_process(self, settings, ask):
        with subprocess.Popen(["true"]) as dead:
            dead.wait()
        write_pid_file(settings.home, dead.pid)
        assert lifecycle.status(settings).state == "crashed"
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]

    def test_of_another_program_of_the_same_user(self, settings, ask):
        # PostgreSQL alone would refuse to start here: a process of its user has that number.
        with subprocess.Popen(["sleep", "60"], user=server_user(settings.home).pw_uid) as foreign:
            write_pid_file(settings.home, foreign.pid)
            assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]
            assert foreign.poll() is None
            foreign.kill()

    def test_of_another_cluster(self, settings, folder, finished_home, ask):
        neighbour = settings_of(folder / "neighbour")
        subprocess.run(["cp", "-a", finished_home, neighbour.home], check=True)
        url = lifecycle.ensure_running(neighbour)
        write_pid_file(settings.home, lifecycle.status(neighbour).pid)
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == ask(url, "SELECT 1")
        assert lifecycle.status(neighbour).pid != lifecycle.status(settings).pid

    def test_that_is_cut_short(self, settings, ask):
        (settings.home / "cluster/postmaster.pid").write_text("4")
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]

    def test_is_no_reason_to_stop_a_foreign_process(self, settings):
        with subprocess.Popen(["sleep", "60"]) as foreign:
            write_pid_file(settings.home, foreign.pid)
            assert lifecycle.stop(settings) is False
            assert foreign.poll() is None
            foreign.kill()


class TestCrash:
    def test_of_the_server_keeps_what_was_committed(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        os.kill(lifecycle.status(settings).pid, signal.SIGKILL)
        assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT

    def test_of_all_its_processes_keeps_what_was_committed(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        for process in processes(Layout(settings.home)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT

    def test_of_one_session_is_over_by_the_next_command(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        log = settings.home / "server.log"
        for crash in range(1, 4):
            with contextlib.closing(psycopg2.connect(lifecycle.ensure_running(settings))) as connection:
                os.kill(connection.info.backend_pid, signal.SIGKILL)
                with pytest.raises(psycopg2.OperationalError):
                    connection.cursor().execute("SELECT 1")
            wait_until(lambda crash=crash: log.read_text().count("terminated by signal 9") == crash)
            assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT

    @pytest.mark.heavy
    def test_leaves_no_session_at_work_beside_the_new_server(self, settings, ask):
        # A session that computes does not notice that the server is gone; two servers would ruin the files.
        ask(url := lifecycle.ensure_running(settings), *MAKE_TABLE)
        psql = installation().bin / "psql"
        busy = "SELECT sum(sqrt(n)) FROM generate_series(1, 100000000000) AS n"
        with subprocess.Popen(
            [psql, "-c", busy, url],
            env=installation().environment,
            user=server_user(settings.home).pw_uid,
            cwd="/",
        ) as client:
            found = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT sum(sqrt%'"
            wait_until(lambda: ask(url, found))
            [(session,)] = ask(url, found)
            os.kill(lifecycle.status(settings).pid, signal.SIGKILL)
            assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT
            assert session not in {process.pid for process in processes(Layout(settings.home))}
            client.wait()

    def test_is_shown_and_stop_clears_it(self, settings):
        lifecycle.start(settings)
        os.kill(lifecycle.status(settings).pid, signal.SIGKILL)
        wait_until(lambda: lifecycle.status(settings).state == "crashed")
        assert lifecycle.stop(settings) is False
        assert processes(Layout(settings.home)) == []
        assert lifecycle.status(settings).state == "stopped"


class TestTwoAtOnce:
    @pytest.mark.heavy
    def test_first_start_of_all_makes_one_cluster(self, folder, ask):
        home = folder / "home"
        with contextlib.ExitStack() as stack:
            commands = [stack.enter_context(roman_db(home, "start")) for _ in range(3)]
            outputs = [command.communicate()[0] for command in commands]
        assert [command.returncode for command in commands] == [0, 0, 0], outputs
        assert len({output for output in outputs if "url " in output}) == 1
        assert (home / "server.log").read_text().count("starting PostgreSQL") == 1

    @pytest.mark.heavy
    def test_start_and_stop_never_meet(self, home, ask):
        with contextlib.ExitStack() as stack:
            commands = [
                stack.enter_context(roman_db(home, name))
                for name in ("start", "stop", "start", "stop", "start")
            ]
            outputs = [command.communicate()[0] for command in commands]
        assert [command.returncode for command in commands] == 5 * [0], outputs
        assert ask(lifecycle.ensure_running(settings_of(home)), "SELECT 1") == [(1,)]

    def test_a_start_that_takes_too_long_is_told(self, settings, monkeypatch):
        monkeypatch.setattr(lifecycle, "_PATIENCE_S", 0.1)
        with (
            lock.held(settings.home / "start.lock", 0),
            pytest.raises(ClusterError, match="another roman-db has been starting or stopping"),
        ):
            lifecycle.ensure_running(settings)

    def test_server_that_is_just_starting_is_waited_for(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        lifecycle.stop(settings, "immediate")
        with roman_db(settings.home, "start") as first:
            wait_until(lambda: lifecycle.status(settings).state in ("starting", "running"))
            first.kill()
        assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT
        assert (settings.home / "server.log").read_text().count("starting PostgreSQL") <= 4


class TestOtherVersion:
    @pytest.mark.parametrize("version", ["9.6", "14", "99", "", "fifteen"])
    def test_is_refused_and_its_files_stay_as_they_are(self, settings, version):
        data = settings.home / "cluster"
        (data / "PG_VERSION").write_text(version + "\n")
        before = fingerprint(data)
        for command in (lifecycle.ensure_running, lifecycle.start):
            with pytest.raises(ClusterError, match="Nothing was changed") as raised:
                command(settings)
            assert raised.value.where == str(data)
        assert fingerprint(data) == before

    def test_message_names_what_would_use_it(self, settings):
        (settings.home / "cluster/PG_VERSION").write_text("19\n")
        with pytest.raises(
            ClusterError, match=r"made by PostgreSQL 19.*install postgresql-19 and postgresql-19-q3c"
        ):
            lifecycle.ensure_running(settings)

    def test_folder_with_other_files_is_no_place_for_a_cluster(self, folder):
        precious = folder / "home/cluster/thesis.tex"
        precious.parent.mkdir(parents=True)
        precious.write_text("six years of work")
        with pytest.raises(ClusterError, match="holds files, but no PostgreSQL cluster"):
            lifecycle.ensure_running(settings_of(folder / "home"))
        assert precious.read_text() == "six years of work"


class TestInterruptedCreation:
    @pytest.mark.heavy
    @pytest.mark.parametrize(
        "stage", ["cluster.unfinished", "cluster.unfinished/base/1", "cluster.unfinished/base/5"]
    )
    def test_is_begun_anew_by_the_next_command(self, folder, ask, stage):
        home = folder / "home"
        with roman_db(home, "start") as command:
            wait_until((home / stage).exists)
            command.kill()
        assert ask(lifecycle.ensure_running(settings_of(home)), Q3C) == [(4,)]
        assert not (home / "cluster.unfinished").exists()

    @pytest.mark.heavy
    def test_of_all_its_processes_as_well(self, folder, ask):
        home = folder / "home"
        with roman_db(home, "start") as command:
            wait_until((home / "cluster.unfinished/base/1").exists)
            family = [*psutil.Process(command.pid).children(recursive=True), command]
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        assert ask(lifecycle.ensure_running(settings_of(home)), Q3C) == [(4,)]

    @pytest.mark.heavy
    def test_between_creation_and_start(self, folder, ask):
        home = folder / "home"
        with roman_db(home, "start") as command:
            wait_until((home / "cluster").exists)
            command.kill()
        assert ask(lifecycle.ensure_running(settings_of(home)), Q3C) == [(4,)]

    def test_leaves_a_finished_cluster_alone(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        lifecycle.stop(settings)
        shutil.copytree(settings.home / "cluster/global", settings.home / "cluster.unfinished/global")
        assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT


class TestReboot:
    def test_leftover_sockets_and_pid_file_do_not_matter(self, settings, ask):
        ask(lifecycle.ensure_running(settings), *MAKE_TABLE)
        data, sockets = settings.home / "cluster", settings.home / "run"
        pid_file = (data / "postmaster.pid").read_text()
        lifecycle.stop(settings, "immediate")
        with subprocess.Popen(["sleep", "60"], user=server_user(settings.home).pw_uid) as foreign:
            others = pid_file.replace(pid_file.split("\n")[0], str(foreign.pid), 1)
            (data / "postmaster.pid").write_text(others)
            (sockets / ".s.PGSQL.5432.lock").write_text(others)
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(sockets / ".s.PGSQL.5432"))
            assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT
            foreign.kill()

    def test_socket_folder_is_made_again(self, settings, ask):
        lifecycle.start(settings)
        lifecycle.stop(settings)
        (settings.home / "run").rmdir()
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]


class TestUnusablePlace:
    def test_port_in_use(self, home):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(ClusterError, match=r"TCP port is in use.*ROMAN_DB_PG_PORT"):
                lifecycle.ensure_running(settings_of(home, pg_port=port))
        assert lifecycle.start(settings_of(home, pg_port=port)).tcp_address == f"127.0.0.1:{port}"

    def test_home_that_is_a_file(self, folder):
        (folder / "home").write_text("")
        with pytest.raises(ClusterError, match="Not a directory"):
            lifecycle.ensure_running(settings_of(folder / "home"))

    @needs_root
    def test_home_of_another_user(self, settings):
        with acting_as(pwd.getpwnam("nobody").pw_uid), pytest.raises(ClusterError, match=r"belongs? to user"):
            lifecycle.ensure_running(settings)

    @needs_root
    def test_files_that_are_closed_to_their_owner(self, settings, ask):
        """The server that may run there is left alone, and nobody is shown a traceback."""
        url = lifecycle.ensure_running(settings)
        data = settings.home / "cluster"
        owner = server_user(settings.home).pw_uid
        settings.home.chmod(0o711)
        os.chown(settings.home, owner, -1)
        for path in settings.home.glob("*.lock"):
            os.chown(path, owner, -1)
        data.chmod(0)
        for act in (lifecycle.stop, lifecycle.start, lifecycle.status, lifecycle.ensure_running):
            with acting_as(owner), pytest.raises(ClusterError, match=r"cannot be read .* chmod u\+rwx"):
                act(settings)
        data.chmod(0o700)
        assert ask(url, "SELECT 1") == [(1,)]
        lifecycle.stop(settings, "immediate")
        write_pid_file(settings.home, 1)
        data.chmod(0o500)
        for act in (lifecycle.stop, lifecycle.start):
            with acting_as(owner), pytest.raises(ClusterError, match=r"cannot be changed .* chmod u\+rwx"):
                act(settings)
        data.chmod(0o700)

    def test_home_that_is_not_writable(self, folder):
        (folder / "home").mkdir(mode=0o555)
        # Root may write everywhere, so it acts as somebody who may not.
        user = acting_as(pwd.getpwnam("nobody").pw_uid) if os.geteuid() == 0 else contextlib.nullcontext()
        with user, pytest.raises(ClusterError, match="Permission denied"):
            lifecycle.ensure_running(settings_of(folder / "home"))

    @needs_root
    @pytest.mark.parametrize("mode", [0o711, 0o700])
    def test_home_of_another_user_is_looked_at(self, settings, mode, monkeypatch):
        """Whether the user may enter it or not; nobody is told to move away what is not his."""
        settings.home.chmod(mode)
        (settings.home / "cluster").chmod(0o700)
        owner = pwd.getpwuid((settings.home / "cluster" if mode == 0o711 else settings.home).stat().st_uid)
        monkeypatch.setenv("ROMAN_DB_HOME", str(settings.home))
        monkeypatch.delenv("ROMAN_DB_URL", raising=False)
        forget()
        for look in (lambda: lifecycle.status(settings), read_status):
            with acting_as(pwd.getpwnam("nobody").pw_uid), pytest.raises(ClusterError) as caught:
                look()
            assert f"belongs to user {owner.pw_name}" in caught.value.what
            assert "set ROMAN_DB_HOME to a folder of your own" in caught.value.remedy
            assert "move it away" not in str(caught.value)
        forget()

    @pytest.mark.parametrize("missing", ["home", "a/b/home"])
    def test_home_that_cannot_be_made(self, folder, missing, monkeypatch):
        """A look at the database says so before `roman-db upgrade` is advised."""
        (folder / "closed").mkdir(mode=0o555)
        monkeypatch.setenv("ROMAN_DB_HOME", str(folder / "closed" / missing))
        monkeypatch.delenv("ROMAN_DB_URL", raising=False)
        forget()
        user = acting_as(pwd.getpwnam("nobody").pw_uid) if os.geteuid() == 0 else contextlib.nullcontext()
        message = (
            f"you may not write into {folder}/closed. Set ROMAN_DB_HOME to a folder that you may write to"
        )
        with user, pytest.raises(ClusterError, match=message):
            read_status()
        forget()

    def test_status_of_a_home_that_is_a_file(self, folder):
        (folder / "home").write_text("")
        with pytest.raises(ClusterError, match=r"Not a directory"):
            lifecycle.status(settings_of(folder / "home"))

    @needs_root
    def test_home_below_a_folder_that_is_closed_to_the_server(self, folder):
        (folder / "private").mkdir(mode=0o700)
        with pytest.raises(ClusterError, match=f"{folder}/private is closed to user"):
            lifecycle.ensure_running(settings_of(folder / "private/home"))

    def test_read_only_disk(self, tmpfs, finished_home, ask):
        disk = tmpfs(120)
        subprocess.run(["cp", "-a", finished_home, disk / "home"], check=True)
        settings = settings_of(disk / "home")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(ClusterError, match="Read-only file system"):
            lifecycle.ensure_running(settings)
        assert lifecycle.status(settings).state == "stopped"
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]


def fill(disk):
    """Write to a disk until it is full."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        for size in (1024**2, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    return disk / "ballast"


class TestFullDisk:
    def test_no_room_for_a_new_cluster(self, tmpfs, ask):
        disk = tmpfs(100)
        with pytest.raises(ClusterError, match=r"MiB free, and a new cluster needs"):
            lifecycle.ensure_running(settings_of(disk / "home"))
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        assert ask(lifecycle.ensure_running(settings_of(disk / "home")), "SELECT 1") == [(1,)]

    @pytest.mark.heavy
    def test_full_while_a_cluster_is_made(self, tmpfs, ask, monkeypatch):
        disk = tmpfs(40)
        settings = settings_of(disk / "home")
        monkeypatch.setattr("roman_db.cluster.creation._LEAST_FREE_MIB", 1)
        with pytest.raises(ClusterError, match="the disk is full"):
            lifecycle.ensure_running(settings)
        assert not (disk / "home/cluster").exists()
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        assert ask(lifecycle.ensure_running(settings), "SELECT 1") == [(1,)]

    @pytest.mark.heavy
    def test_full_while_loading_keeps_what_was_committed(self, tmpfs, finished_home, ask):
        disk = tmpfs(120)
        subprocess.run(["cp", "-a", finished_home, disk / "home"], check=True)
        settings = settings_of(disk / "home")
        ask(url := lifecycle.ensure_running(settings), *MAKE_TABLE)
        ballast = fill(disk)
        with pytest.raises(psycopg2.Error, match=r"No space left|terminat|closed the connection"):
            ask(url, "INSERT INTO kept SELECT generate_series(1, 10000000)")
        lifecycle.stop(settings, "immediate")
        fill(disk)
        with pytest.raises(ClusterError, match="the disk is full"):
            lifecycle.ensure_running(settings)
        ballast.unlink()
        assert ask(lifecycle.ensure_running(settings), COUNT) == ALL_KEPT
        lifecycle.stop(settings)
        check_checksums(settings)


def check_checksums(settings):
    """PostgreSQL's own check of every page of a stopped cluster."""
    command = [installation().bin / "pg_checksums", "--check", settings.home / "cluster"]
    done = subprocess.run(command, env=installation().environment, capture_output=True, text=True, check=True)
    assert "Bad checksums:  0" in done.stdout
