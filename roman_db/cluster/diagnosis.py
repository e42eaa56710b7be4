"""What PostgreSQL's messages mean for the person who ran ``roman-db``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from roman_db.cluster.error import ClusterError

#: What a message says (in the C locale, which the server is run in), what that means and what to do about it.
_MEANINGS = (
    (
        r"Address already in use|could not create any TCP/IP sockets",
        "the TCP port is in use by another program",
        "Set ROMAN_DB_PG_PORT to a free port, or leave it out: the unix socket is enough for roman-db",
    ),
    (
        r"No space left on device|Disk quota exceeded|[Cc]heck free disk space|wrote only \d+ of \d+ bytes",
        "the disk is full",
        "Free some space and run the command again; what was committed is safe",
    ),
    (
        r"Read-only file system",
        "the file system is read-only",
        "Mount it writable, or set ROMAN_DB_HOME to another folder",
    ),
    (
        r"could not map anonymous shared memory|Cannot allocate memory|out of memory",
        "there is not enough memory for the server",
        "Set ROMAN_DB_PG_MEMORY_MB to a smaller number than the machine's memory",
    ),
    (
        r"database files are incompatible with server",
        "the files were made by another PostgreSQL",
        "Nothing was changed. Install the version that made them",
    ),
    (
        r"error while loading shared libraries|cannot open shared object file",
        "PostgreSQL lacks a shared library",
        "Run `make setup`, or install PostgreSQL anew",
    ),
    (
        r"Permission denied|Operation not permitted",
        "the server may not read or write its files",
        "Give the folder and all in it back to the user who owns the cluster",
    ),
)
_TAIL_LINES = 4
#: A disk with fewer bytes free is full.
_FULL = 64 * 1024


def explained(message: str, where: Path, otherwise: str) -> ClusterError:
    """Return the error that PostgreSQL's ``message`` means, or ``otherwise`` with the end of it."""
    if where.exists() and shutil.disk_usage(where).free < _FULL:
        message += "\nNo space left on device, perhaps not even for the log"
    for pattern, what, remedy in _MEANINGS:
        if found := re.search(f".*(?:{pattern}).*", message):
            return ClusterError(f"{what} ({_without_prefix(found[0])})", where, remedy)
    lines = [line for line in message.splitlines() if line.strip()]
    faults = [line for line in lines if re.search("ERROR:|FATAL:|PANIC:", line)]
    said = " / ".join(_without_prefix(line) for line in (faults or lines)[-_TAIL_LINES:])
    return ClusterError(f"{otherwise}: {said or 'it said nothing'}", where, "Read the server's log there")


def _without_prefix(line: str) -> str:
    """Return the message of a log line without time, process and user."""
    return re.sub(r"^\S+ \S+ \S+ \[\d+\] (\S+@\S+ )?", "", line).strip()
