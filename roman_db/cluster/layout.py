"""Where each thing lies in the home of a private cluster."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from roman_db.cluster.account import Account
from roman_db.cluster.error import ClusterError

#: The longest path of a unix socket: 108 bytes on Linux, 104 on macOS, one of them for the final zero.
_SOCKET_PATH_MAX = 103
_LONGEST_SOCKET_NAME = ".s.PGSQL.65535.lock"


@dataclass(frozen=True)
class Layout:
    """The paths below one home."""

    home: Path

    @property
    def data(self) -> Path:
        """The cluster's files (PGDATA)."""
        return self.home / "cluster"

    @property
    def unfinished(self) -> Path:
        """The cluster while it is being made; it gets its name when it is whole."""
        return self.home / "cluster.unfinished"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.home / "server.log"

    @property
    def passfile(self) -> Path:
        """The administrator's password in libpq's format, for connections over TCP."""
        return self.home / "passfile"

    @property
    def start_lock(self) -> Path:
        """Held while somebody makes, starts or stops the server."""
        return self.home / "start.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's processes."""
        return self.home / "server.lock"

    @property
    def programs(self) -> Path:
        """PostgreSQL's packages unpacked, where they could not be installed."""
        return self.home / "postgresql"

    @property
    def sockets(self) -> Path:
        """The folder of the unix socket: in the home, or below /tmp where that path is too long for a socket.

        A path with a comma will not do either: libpq takes it for two.
        """
        inside = self.home / "run"
        if len(os.fsencode(inside / _LONGEST_SOCKET_NAME)) <= _SOCKET_PATH_MAX and "," not in str(inside):
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"roman-db-{digest}"


def make_home(home: Path, account: Account) -> None:
    """Make the home of a server that runs as ``account``, with passage for it where that is somebody else.

    Raises
    ------
    ClusterError
        Where the folder cannot be made or is not a folder.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not account.is_current and not home.stat().st_mode & stat.S_IXOTH:
            home.chmod(0o711)
    except OSError as error:
        raise ClusterError(
            f"the folder cannot be made ({error.strerror})",
            home,
            "Set ROMAN_DB_HOME to a folder that you may write to",
        ) from error


def check_makeable(home: Path) -> None:
    """Check that the current user may make a home, or write into it where it is there; make nothing.

    Raises
    ------
    ClusterError
        Naming the folder that is not open to the user.
    """
    there = next(part for part in (home, *home.parents) if _is_there(part))
    is_open = os.access(there, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    if not (is_open and there.is_dir()):
        why = f"you may not write into {there}" if there.is_dir() else f"{there} is no folder"
        remedy = "Set ROMAN_DB_HOME to a folder that you may write to"
        raise ClusterError(f"the folder cannot be made: {why}", home, remedy)


def _is_there(path: Path) -> bool:
    """Whether there is something; what lies in a closed folder does not count."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def make_private_folder(folder: Path, account: Account) -> None:
    """Make ``folder``, open to ``account`` alone, or check that it is so.

    Raises
    ------
    ClusterError
        Where somebody else owns it: below /tmp anybody could have made it first.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid == os.geteuid() and not account.is_current:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
            found = folder.lstat()
    except OSError as error:
        raise ClusterError(
            f"the folder cannot be made ({error.strerror})", folder, "Free space and check its permissions"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise ClusterError(
            f"not a folder of user {account.name} alone", folder, "Remove it; roman-db makes it again"
        )
