"""File locks (``flock``): they end with the processes that hold them, however those end.

Two of them guard a home. ``start.lock`` is held while a command makes, starts or stops the server.
``server.lock`` is inherited by the server and all its processes, so it is free exactly when none of them is
left; unlike a process number in a file, that holds after a reboot and for two containers that share the
folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from roman_db.cluster.error import ClusterError

_PAUSE_S = 0.02


@contextlib.contextmanager
def held(path: Path, timeout_s: float) -> Iterator[int | None]:
    """Hold the lock ``path`` exclusively, and give its file descriptor, or None where it stays taken.

    The lock lives on after the block in every process that has inherited the descriptor.

    Raises
    ------
    ClusterError
        Where the file cannot be opened or its file system has no locks.
    """
    descriptor = _open(path)
    try:
        yield descriptor if _acquired(descriptor, path, timeout_s) else None
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ClusterError(
            f"the file cannot be written ({error.strerror})",
            path,
            "Make the folder writable for you and free space on its disk, or set ROMAN_DB_HOME to another",
        ) from error


def _acquired(descriptor: int, path: Path, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while not _try(descriptor, path):
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE_S)
    return True


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise
        raise ClusterError(
            f"its file system has no file locks ({error.strerror})",
            path,
            "Set ROMAN_DB_HOME to a folder on a local disk",
        ) from error
    return True
