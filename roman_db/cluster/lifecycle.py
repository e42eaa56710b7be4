"""Starting, stopping and asking after the private server: what the rest of roman-db calls."""

from __future__ import annotations

import contextlib
import logging
import pwd
import shutil
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from roman_db.cluster import binaries, configuration, creation, lock, machine, postmaster
from roman_db.cluster.account import Account, check_reachable, server_account
from roman_db.cluster.backup_folder import BackupFolder, backups, claim
from roman_db.cluster.diagnosis import explained
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout, make_home, make_private_folder
from roman_db.cluster.postmaster import Postmaster
from roman_db.cluster.process import Runner

if TYPE_CHECKING:
    from roman_db.settings import Settings

_log = logging.getLogger(__name__)
#: Recovery after a crash replays up to ``max_wal_size`` of log, and a fast stop writes a checkpoint.
_PATIENCE_S = 600
#: A server that is up and does not answer for so long has lost its socket.
_SILENCE_S = 5
_PAUSE_S = 0.05
_LOG_KEPT = 10 * 1024**2

State = Literal["absent", "stopped", "starting", "running", "stopping", "unreachable", "crashed"]


@dataclass(frozen=True)
class ClusterStatus:
    """How the private cluster is; what does not apply to its state is None."""

    state: State
    home: Path
    log: Path
    major: int | None = None
    pid: int | None = None
    started: datetime | None = None
    socket: Path | None = None
    tcp_address: str | None = None
    url: str | None = None


def ensure_running(settings: Settings) -> str:
    """Return the URL of the server to use, starting the private one (and making its cluster) if need be.

    The URL is that of ``ROMAN_DB_URL`` if it is set; else it is the administrator's, through the private
    server's socket, and holds no password. It is in libpq's form; SQLAlchemy wants its driver named as well.
    With the server up this costs a few milliseconds and starts no process.

    Raises
    ------
    ClusterError
        Where there is none and none can be started: what is wrong, where, and what to do.
    """
    if settings.url:
        return settings.url
    layout = Layout(settings.home)
    return url_of(layout, _up(settings, layout))


def reader_url(settings: Settings) -> str:
    """Return the URL of the same server for somebody who may only read.

    Raises
    ------
    ClusterError
        As `ensure_running`; or where ``ROMAN_DB_URL`` names a server, and ``ROMAN_DB_READER_URL`` no login.
    """
    if settings.reader_url:
        return settings.reader_url
    if settings.url:
        raise ClusterError(
            "not set, and the server is one that ROMAN_DB_URL names",
            "ROMAN_DB_READER_URL",
            "Set it to the address of that server for an account that may only read",
        )
    return ensure_running(settings).replace(configuration.ADMINISTRATOR, configuration.READER, 1)


def start(settings: Settings) -> ClusterStatus:
    """Start the private server unless it runs, making its cluster first where there is none.

    Raises
    ------
    ClusterError
        Where it cannot be started: what is wrong, where, and what to do.
    """
    layout = Layout(settings.home)
    return _running(layout, _up(settings, layout))


def stop(settings: Settings, mode: Literal["fast", "immediate"] = "fast") -> bool:
    """Stop the private server and return whether there was one to stop.

    Parameters
    ----------
    settings
        For the home.
    mode
        "fast" ends open sessions and writes all to the data files; "immediate" leaves that to the next start.

    Raises
    ------
    ClusterError
        Where the server does not end, or belongs to somebody else.
    """
    layout = Layout(settings.home)
    account = server_account(layout.data)
    if not layout.data.exists():
        return False
    with alone(layout):
        installation = binaries.choose(settings.pg_bin, layout)
        return halt(layout, Runner(layout.home, installation, account, lock=None), mode)


def status(settings: Settings) -> ClusterStatus:
    """Return how the private cluster is, changing nothing.

    Raises
    ------
    ClusterError
        Where the folder of the cluster holds something else, or cannot be read.
    """
    layout = Layout(settings.home)
    major = binaries.cluster_major(layout.data)
    server = postmaster.read(layout.data)
    if major is None:
        return ClusterStatus("absent", layout.home, layout.log)
    if server is None:
        return ClusterStatus("stopped", layout.home, layout.log, major)
    if server.answers:
        return _running(layout, server)
    if not postmaster.is_alive(server, layout):
        # A server that was stopped takes its pid file away.
        return ClusterStatus("crashed", layout.home, layout.log, major)
    state = "unreachable" if server.state == "ready" else server.state
    return ClusterStatus(state, layout.home, layout.log, major, server.pid)


def halt(layout: Layout, runner: Runner, mode: Literal["fast", "immediate"] = "fast") -> bool:
    """Stop the server of a home, kept from all others (`alone`), and return whether there was one to stop.

    Raises
    ------
    ClusterError
        Where the server does not end.
    """
    server = postmaster.read(layout.data)
    was_alive = server is not None and postmaster.is_alive(server, layout)
    if was_alive:
        done = runner.run("pg_ctl", "stop", "-w", "-s", f"-t{_PATIENCE_S}", "-m", mode, "-D", layout.data)
        if done.returncode != 0:
            raise explained(done.stderr, layout.data, "the server did not stop")
    with postmaster.cleared(layout):
        return was_alive


def renew_access(settings: Settings) -> None:
    """Write who may connect as this release has it, for a server that an earlier release has started.

    The server heeds it once it is told to read its files again (``pg_reload_conf``).

    Raises
    ------
    ClusterError
        Where the files cannot be written.
    """
    layout = Layout(settings.home)
    account = server_account(layout.data)
    with alone(layout):
        configuration.write_access(layout.data, account)


def _up(settings: Settings, layout: Layout) -> Postmaster:
    """Return the server that answers, started if need be."""
    server = postmaster.read(layout.data)
    if server is not None and server.answers:
        return server
    account = server_account(layout.data)
    make_home(layout.home, account)
    check_reachable(layout.home, account)
    with alone(layout):
        return _settled(layout) or _launched(settings, layout, account)


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Keep every other roman-db from making, starting or stopping the server.

    Raises
    ------
    ClusterError
        Where another one goes on doing so.
    """
    with lock.held(layout.start_lock, _PATIENCE_S) as descriptor:
        if descriptor is None:
            raise ClusterError(
                f"another roman-db has been starting or stopping the server for {_PATIENCE_S} s",
                layout.home,
                "Look what it waits for in the server's log, server.log",
            )
        yield


def _settled(layout: Layout) -> Postmaster | None:
    """Wait for a server that starts or stops already; return it if it answers then, None if it is gone."""
    begun = time.monotonic()
    while (server := postmaster.read(layout.data)) and postmaster.is_alive(server, layout):
        if server.answers:
            return server
        waited = time.monotonic() - begun
        if waited > (_SILENCE_S if server.state == "ready" else _PATIENCE_S):
            raise ClusterError(
                f"the server (process {server.pid}) is {server.state} but silent on {server.socket_file}",
                layout.home,
                "Read server.log there; start it anew with: roman-db cluster stop, roman-db cluster start",
            )
        time.sleep(_PAUSE_S)
    return None


def _launched(settings: Settings, layout: Layout, account: Account) -> Postmaster:
    installation = binaries.choose(settings.pg_bin, layout)
    check_reachable(installation.bin, account)
    with postmaster.cleared(layout) as descriptor:
        runner = Runner(layout.home, installation, account, descriptor)
        if binaries.cluster_major(layout.data) is None:
            _check_not_lost(settings)
            creation.create(layout, runner)
        configure(settings, layout, runner)
        return launch(layout, runner, _PATIENCE_S)


def _check_not_lost(settings: Settings) -> None:
    """Raise where there is no cluster, but backups of one: an empty one would look like a loss."""
    if settings.backup_folder is not None and backups(BackupFolder(settings.backup_folder)):
        raise ClusterError(
            f"there is no cluster here, and {settings.backup_folder} has backups of one",
            settings.home,
            "Bring it back with: roman-db cluster restore; or set ROMAN_DB_BACKUP_FOLDER to another folder",
        )


def configure(settings: Settings, layout: Layout, runner: Runner) -> None:
    """Write the configuration of the cluster of a home, which may be another than that of the settings.

    Raises
    ------
    ClusterError
        Where it cannot be written, or the folder of backups is not this cluster's.
    """
    archive = None
    if settings.backup_folder is not None:
        archive = BackupFolder(settings.backup_folder)
        claim(archive, layout.data, runner)
    here = configuration.Machine(
        memory=settings.pg_memory_mb * 1024**2 if settings.pg_memory_mb else machine.usable_memory(),
        cpus=machine.usable_cpus(),
        disk=shutil.disk_usage(layout.home).total,
        shared_memory=machine.shared_memory_size(),
    )
    has_lz4 = runner.installation.has_lz4
    configuration.write(layout, here, settings.pg_port, has_lz4, archive.wal if archive else None)
    configuration.write_access(layout.data, runner.account)


def launch(layout: Layout, runner: Runner, patience_s: int) -> Postmaster:
    """Start the server of a configured home and return it when it takes connections.

    Raises
    ------
    ClusterError
        Where it does not start within so many seconds: what it says.
    """
    make_private_folder(layout.sockets, runner.account)
    said_before = _open_log(layout.log, runner.account)
    _log.info("starting the private PostgreSQL %d in %s", runner.installation.major, layout.home)
    # pg_ctl hands these names to a shell, so they are relative ones, which no home can spoil with quotes.
    data, log = layout.data.name, layout.log.name
    done = runner.run("pg_ctl", "start", "-w", "-s", f"-t{patience_s}", "-D", data, "-l", log)
    server = postmaster.read(layout.data)
    if done.returncode == 0 and server is not None and server.answers:
        return server
    said = layout.log.read_bytes()[said_before:].decode(errors="replace")
    raise explained(said or done.stderr, layout.log, "the server did not start")


def _open_log(log: Path, account: Account) -> int:
    """Make the log the server account's, put a long one aside, and return the bytes in it."""
    try:
        if log.exists() and log.stat().st_size > _LOG_KEPT:
            log.replace(log.with_suffix(".log.1"))
        log.touch(mode=0o600)
        if not account.is_current:
            shutil.chown(log, account.uid, account.gid)
        return log.stat().st_size
    except OSError as error:
        raise ClusterError(
            f"the log cannot be written ({error.strerror})", log, "Free space and check its permissions"
        ) from error


def _running(layout: Layout, server: Postmaster) -> ClusterStatus:
    return ClusterStatus(
        "running",
        layout.home,
        layout.log,
        binaries.cluster_major(layout.data),
        server.pid,
        datetime.fromtimestamp(server.started, UTC),
        server.socket_file,
        f"{server.address}:{server.port}" if server.address else None,
        url_of(layout, server),
    )


def url_of(layout: Layout, server: Postmaster) -> str:
    """URL of the database of a running server, as its administrator."""
    # requirepeer: libpq talks to no server of another user, whoever may have put a socket in that place.
    owner = pwd.getpwuid(layout.data.stat().st_uid).pw_name
    query = urllib.parse.urlencode(
        {"host": server.sockets, "port": server.port, "requirepeer": owner}, quote_via=urllib.parse.quote
    )
    return f"postgresql://{configuration.ADMINISTRATOR}@/{creation.DATABASE}?{query}"
