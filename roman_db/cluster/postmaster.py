"""The server's process: what its pid file says, whether it answers, and clearing what a dead one left.

The pid file's lines are those of PostgreSQL's ``miscadmin.h``: process, data folder, start time, port, socket
folder, listen address, shared memory, state.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from roman_db.cluster import lock
from roman_db.cluster.account import closed
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.ping import takes_connections

#: How long the processes of a killed server get to notice it, and then to end when told to.
_NOTICE_S = 3.0
_END_S = 5.0


@dataclass(frozen=True)
class Postmaster:
    """A running or dead server, as its pid file has it."""

    pid: int
    started: float
    port: int
    sockets: Path
    address: str
    state: Literal["starting", "ready", "stopping"]

    @property
    def socket_file(self) -> Path:
        """The unix socket that it listens on."""
        return self.sockets / f".s.PGSQL.{self.port}"

    @property
    def answers(self) -> bool:
        """Whether it is up and takes connections."""
        return self.state == "ready" and takes_connections(self.socket_file)


def read(data: Path) -> Postmaster | None:
    """Return the server of the cluster in ``data`` from its pid file, None where there is no such file.

    A server writes the file's lines one after the other while it starts.

    Raises
    ------
    ClusterError
        Where the user may not look: there may well be a server, and it must not be taken for dead.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except PermissionError as error:
        raise closed(data, error) from error
    except OSError:
        return None
    pid, _, started, port, sockets, address, _, state = [*lines, *[""] * 8][:8]
    return Postmaster(
        _number(pid), _number(started), _number(port), Path(sockets), address.strip(), _state(state.strip())
    )


def is_alive(server: Postmaster, layout: Layout) -> bool:
    """Return whether the process with the server's number is PostgreSQL at work in this home."""
    return any(process.pid == server.pid for process in processes(layout))


@contextlib.contextmanager
def cleared(layout: Layout) -> Iterator[int]:
    """Hold the server lock with no process of a dead server left, nor files of it that would stop a new one.

    Given is the lock's file descriptor, for the new server to inherit. PostgreSQL itself takes a pid file for
    stale only if no process of the same user has that number. After a reboot or in a container some other
    process often has; nothing holds the server lock then, so the files are removed.

    Raises
    ------
    ClusterError
        Where processes of the dead server do not end, or its files cannot be removed.
    """
    if not _ended(layout.server_lock, _NOTICE_S):
        for process in processes(layout):
            _quit(process)
    with lock.held(layout.server_lock, _END_S) as descriptor:
        left = processes(layout)
        if descriptor is None:
            numbers = ", ".join(str(process.pid) for process in left) or "none of them on this machine"
            raise ClusterError(
                f"processes of a server that died are still at work ({numbers})",
                layout.home,
                "Wait for them or end them; if there are none, another container uses the same folder",
            )
        if not left:
            for path in (layout.data / "postmaster.pid", *layout.sockets.glob(".s.PGSQL.*")):
                _remove(path)
        yield descriptor


def processes(layout: Layout) -> list[psutil.Process]:
    """Return PostgreSQL's processes of this home: the cluster's folder is the working folder of each."""
    folders = {str(folder.resolve()) for folder in (layout.data, layout.unfinished)}
    return [process for process in psutil.process_iter(["name"]) if _works_in(process, folders)]


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def _state(text: str) -> Literal["starting", "ready", "stopping"]:
    return "ready" if text == "ready" else "stopping" if text == "stopping" else "starting"


def _works_in(process: psutil.Process, folders: set[str]) -> bool:
    try:
        return process.name().startswith("postgres") and process.cwd() in folders
    except psutil.Error:
        return False


def _ended(server_lock: Path, timeout_s: float) -> bool:
    with lock.held(server_lock, timeout_s) as descriptor:
        return descriptor is not None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise closed(path.parent, error, "changed") from error


def _quit(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGQUIT)
