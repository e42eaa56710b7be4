"""The operating-system account that the server runs as: PostgreSQL refuses root.

An ordinary user runs the server as himself. Root runs it as the account that owns the cluster's files if
there are any, else as ``postgres``, which PostgreSQL's packages create, else as ``nobody``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from roman_db.cluster.error import ClusterError

_FOR_ROOT = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of the operating system, with the groups that it is a member of."""

    name: str
    uid: int
    gid: int
    groups: frozenset[int]

    @property
    def is_current(self) -> bool:
        """Whether this process runs as it already."""
        return self.uid == os.geteuid()


def server_account(data: Path) -> Account:
    """Return the account that runs the server of the cluster in the folder ``data``, existing or not.

    Raises
    ------
    ClusterError
        Where the current user id has no name (PostgreSQL insists on one), the files belong to somebody else,
        or root finds no account to run the server as.
    """
    owner = _owner(data)
    if os.geteuid() == 0:
        return _for_root(data, owner)
    if owner not in (None, os.geteuid()):
        raise ClusterError(
            f"the files belong to user {_name(owner)}",
            data,
            "Run roman-db as that user, or set ROMAN_DB_HOME to a folder of your own",
        )
    return _account(os.geteuid(), data)


def check_reachable(folder: Path, account: Account) -> None:
    """Check that ``account`` can enter ``folder``, which the current user can.

    Raises
    ------
    ClusterError
        Naming the outermost folder that is closed to the account.
    """
    if account.is_current:
        return
    for part in reversed((folder, *folder.parents)):
        if part.exists() and not _may_enter(part.stat(), account):
            raise ClusterError(
                f"{part} is closed to user {account.name}, as whom root runs PostgreSQL",
                folder,
                "Set ROMAN_DB_HOME to a folder outside of it, or let others pass with: chmod o+x "
                + str(part),
            )


def closed(folder: Path, error: OSError, to: str = "read") -> ClusterError:
    """Error of a folder that the current user may not read or change, with the owner as far as he is seen."""
    for part in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            owner = part.stat().st_uid
            break
    if owner == os.geteuid():
        remedy = f"Let yourself in with: chmod u+rwx {part}"
    else:
        remedy = "Run roman-db as that user, or set ROMAN_DB_HOME to a folder of your own"
    what = f"the folder cannot be {to} ({error.strerror}); {part} belongs to user {_name(owner)}"
    return ClusterError(what, folder, remedy)


def _owner(data: Path) -> int | None:
    try:
        return data.stat().st_uid
    except FileNotFoundError:
        return None
    except OSError as error:
        raise closed(data, error) from error


def _for_root(data: Path, owner: int | None) -> Account:
    if owner:
        return _account(owner, data)
    names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    for name in _FOR_ROOT:
        if names.get(name):
            return _account(names[name], data)
    raise ClusterError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
        data,
        "Create one with: useradd --system postgres",
    )


def _account(uid: int, data: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ClusterError(
            f"user id {uid} has no name, and PostgreSQL does not run without one",
            data,
            "Add the user to /etc/passwd, or run roman-db as another user",
        ) from None
    groups = frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, uid, entry.pw_gid, groups)


def _name(uid: int | None) -> str:
    known = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}
    return known.get(uid, str(uid)) if uid is not None else "unknown"


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid in account.groups:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
