"""The server's configuration: memory from the machine, who may connect, what suits bulk loads and analysis.

Written anew at each start, since the machine may have changed. An operator's own choice goes in with
``ALTER SYSTEM SET``, which wins over everything here.
"""

from __future__ import annotations

import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from roman_db.cluster import wal_archive
from roman_db.cluster.account import Account
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout

ADMINISTRATOR = "roman_admin"
#: Logs in for those who only read; it has no password, so nobody does so over TCP.
READER = "roman_reader"
FILE = "roman_db.conf"
_MIB = 1024**2
_GIB = 1024 * _MIB
#: Below this, parallel queries would run out of the shared memory of a container and fail.
_ENOUGH_SHARED_MEMORY = _GIB


@dataclass(frozen=True)
class Machine:
    """What the configuration is made for: bytes of memory, CPUs, bytes of disk and of ``/dev/shm``."""

    memory: int
    cpus: int
    disk: int
    shared_memory: int | None


def server_settings(machine: Machine) -> dict[str, str]:
    """Return PostgreSQL's settings for the machine, by name.

    The server shares the machine with the Python processes that load it, so it takes a fifth of the memory
    for its buffers, not the customary quarter, and a sort or hash gets 1/128 of it.
    """
    return _memory(machine) | _parallelism(machine) | _write_ahead_log(machine) | _FIXED | _platform(machine)


def write(
    layout: Layout, machine: Machine, port: int | None, has_lz4: bool, archive: Path | None = None
) -> None:
    """Write the configuration of the cluster in ``layout.data``.

    Parameters
    ----------
    layout
        The home of the cluster.
    machine
        What it runs on.
    port
        TCP port on the loopback interface, or None to listen on the unix socket alone.
    has_lz4
        Whether this PostgreSQL was built with lz4.
    archive
        Folder that takes the write-ahead log, for recovery to a point in time; None for no archive.

    Raises
    ------
    ClusterError
        Where the files cannot be written.
    """
    settings = server_settings(machine) | _listening(layout, port)
    if has_lz4:
        settings |= {"wal_compression": "lz4", "default_toast_compression": "lz4"}
    if archive is not None:
        settings |= wal_archive.server_settings(archive)
    write_files(layout.data, {FILE: _as_configuration(settings)})


def write_access(data: Path, account: Account) -> None:
    """Write who may connect to the cluster in ``data``, and that its configuration includes ours.

    Over the socket whoever the kernel says runs the server or is root (peer) logs in as the administrator or
    as the reader; all else needs a password (SCRAM-SHA-256), and so does everybody over TCP, which is the
    loopback interface alone.

    Raises
    ------
    ClusterError
        Where the files cannot be written.
    """
    trusted = sorted({account.name, pwd.getpwuid(0).pw_name})
    lines = [f'roman_db "{name}" {role}' for name in trusted for role in (ADMINISTRATOR, READER)]
    write_files(data, {"pg_hba.conf": _ACCESS, "pg_ident.conf": "\n".join(lines) + "\n"})
    main = data / "postgresql.conf"
    include = f"\n# roman-db's own, written at each start\ninclude = '{FILE}'\n"
    if include not in main.read_text():
        write_files(data, {main.name: main.read_text() + include})


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Write each text whole or not at all, as a file of the folder's owner, unless it is there already.

    Raises
    ------
    ClusterError
        Where a file cannot be written.
    """
    for name, text in texts.items():
        path = folder / name
        try:
            if not path.exists() or path.read_text() != text:
                _replace(path, text)
        except OSError as error:
            raise ClusterError(
                f"the file cannot be written ({error.strerror})",
                path,
                "Free space on the disk and check the folder's permissions",
            ) from error


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".draft")
    owner = path.parent.stat()
    draft.unlink(missing_ok=True)
    # Made anew and never through a link: root writes here into the folder of another account.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.chown(descriptor, owner.st_uid, owner.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _memory(machine: Machine) -> dict[str, str]:
    memory = machine.memory
    return {
        "shared_buffers": _mib(_within(memory // 5, 32 * _MIB, 16 * _GIB)),
        "effective_cache_size": _mib(memory // 2),
        "work_mem": _mib(_within(memory // 128, 4 * _MIB, _GIB)),
        "maintenance_work_mem": _mib(_within(memory // 16, 32 * _MIB, 2 * _GIB)),
        "autovacuum_work_mem": _mib(_within(memory // 32, 32 * _MIB, _GIB)),
        "temp_buffers": _mib(_within(memory // 256, 8 * _MIB, 256 * _MIB)),
    }


def _parallelism(machine: Machine) -> dict[str, str]:
    gathered = _within(machine.cpus // 2, 1, 8)
    return {
        "max_worker_processes": str(machine.cpus + 8),
        "max_parallel_workers": str(machine.cpus),
        "max_parallel_workers_per_gather": str(gathered),
        "max_parallel_maintenance_workers": str(gathered),
    }


def _write_ahead_log(machine: Machine) -> dict[str, str]:
    largest = _within(machine.disk // 20, 64 * _MIB, 8 * _GIB)
    return {
        "max_wal_size": _mib(largest),
        "min_wal_size": _mib(_within(largest // 32, 32 * _MIB, _GIB)),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
    }


#: wal_level: a partition that is made and filled in one transaction is written once, not twice; recovery to
#: a point in time, which this gives up, is had with an archive (`wal_archive`). jit: it costs more than it
#: gains on queries of milliseconds, and the unpacked packages come without LLVM.
_FIXED = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    "enable_partitionwise_join": "on",
    "enable_partitionwise_aggregate": "on",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "ssl": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "GMT",
    "timezone": "GMT",
    "cluster_name": "roman-db",
}


def _platform(machine: Machine) -> dict[str, str]:
    settings = {"effective_io_concurrency": "200"} if sys.platform == "linux" else {}
    if machine.shared_memory is not None and machine.shared_memory < _ENOUGH_SHARED_MEMORY:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _listening(layout: Layout, port: int | None) -> dict[str, str]:
    return {
        "unix_socket_directories": '"' + str(layout.sockets).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "listen_addresses": "127.0.0.1" if port else "",
        "port": str(port or 5432),
    }


_ACCESS = f"""\
# Written by roman-db at each start. Nobody is trusted: the kernel vouches for the administrator and the
# reader, all others need a password.
# TYPE  DATABASE  USER          ADDRESS        METHOD
local   all       {ADMINISTRATOR}                  peer map=roman_db
local   all       {READER}                 peer map=roman_db
local   replication  {ADMINISTRATOR}               peer map=roman_db
local   all       all                          scram-sha-256
host    all       all           127.0.0.1/32   scram-sha-256
"""


def _as_configuration(settings: dict[str, str]) -> str:
    lines = ["# Written by roman-db at each start. Change a setting with ALTER SYSTEM SET."]
    for name, value in sorted(settings.items()):
        quoted = value.replace("\\", "\\\\").replace("'", "''")
        lines.append(f"{name} = '{quoted}'")
    return "\n".join(lines) + "\n"


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def _mib(size: int) -> str:
    return f"{size // _MIB}MB"
