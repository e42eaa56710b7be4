"""What lies in the folder of backups: base backups, the archive of the log, and whose they are.

``base/<label>/data`` is a copy of the cluster by ``pg_basebackup``, ``base/<label>/backup.json`` what is
known of it, ``wal/`` the log. ``system`` has the number that initdb gave to the cluster: two never share a
folder.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from roman_db.cluster import configuration
from roman_db.cluster.account import check_reachable, closed
from roman_db.cluster.diagnosis import explained
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import make_private_folder
from roman_db.cluster.process import Runner
from roman_db.cluster.wal_archive import SEGMENT_BYTES, position

_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Backup:
    """A base backup that was finished and verified.

    Parameters
    ----------
    label
        Its name: when it began, UTC.
    finished
        From this moment on it can be restored to.
    timeline, start_lsn, end_lsn
        Where in the log it begins, and where it is consistent.
    size_bytes
        Size of its files.
    code_version
        Release of roman-db that made it.
    """

    label: str
    finished: datetime
    timeline: int
    start_lsn: str
    end_lsn: str
    size_bytes: int
    code_version: str

    @property
    def first_segment(self) -> int:
        """Number of the segment of the log that a restore begins with."""
        return position(self.start_lsn) // SEGMENT_BYTES


@dataclass(frozen=True)
class BackupFolder:
    """The paths below one folder of backups."""

    root: Path

    @property
    def wal(self) -> Path:
        """The archive of the log."""
        return self.root / "wal"

    @property
    def base(self) -> Path:
        """The base backups."""
        return self.root / "base"

    @property
    def system(self) -> Path:
        """The number of the cluster that they are of."""
        return self.root / "system"

    def data(self, label: str) -> Path:
        """The files of a base backup."""
        return self.base / label / "data"

    def unfinished(self, label: str) -> Path:
        """A base backup that is being made; it gets its name when it is whole and verified."""
        return self.base / (label + _UNFINISHED)

    def left_unfinished(self) -> list[Path]:
        """What interrupted backups left."""
        return sorted(self.base.glob("*" + _UNFINISHED))


def backups(folder: BackupFolder) -> list[Backup]:
    """Return the finished backups, the oldest first.

    Raises
    ------
    ClusterError
        Where the folder cannot be read, or what is known of a backup is damaged.
    """
    try:
        paths = [path for path in folder.base.iterdir() if not path.name.endswith(_UNFINISHED)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise closed(folder.base, error) from error
    return sorted((_read(path / "backup.json") for path in paths), key=lambda one: one.label)


def write_description(folder: Path, backup: Backup) -> None:
    """Write what is known of a backup into its folder."""
    text = json.dumps(asdict(backup) | {"finished": backup.finished.isoformat()}, indent=1)
    configuration.write_files(folder, {"backup.json": text + "\n"})


def claim(folder: BackupFolder, data: Path, runner: Runner) -> None:
    """Make the folder for the cluster in ``data``, or check that it is its own.

    Raises
    ------
    ClusterError
        Where it cannot be made, is closed to the server's account, or belongs to another cluster.
    """
    for path in (folder.root, folder.wal, folder.base):
        check_reachable(path.parent, runner.account)
        make_private_folder(path, runner.account)
    mine = system_identifier(data, runner)
    if not folder.system.exists():
        configuration.write_files(folder.root, {folder.system.name: mine + "\n"})
    owner = read_system(folder)
    if owner != mine:
        raise ClusterError(
            f"it has the backups of another cluster ({owner}), and this one is {mine}",
            folder.root,
            "Set ROMAN_DB_BACKUP_FOLDER to a folder of its own, or bring the other one back with: "
            "roman-db cluster restore",
        )


def read_system(folder: BackupFolder) -> str:
    """Return the number of the cluster that a folder has backups of.

    Raises
    ------
    ClusterError
        Where it cannot be read.
    """
    try:
        return folder.system.read_text().strip()
    except OSError as error:
        raise closed(folder.root, error) from error


def system_identifier(data: Path, runner: Runner) -> str:
    """Return the number that initdb gave to the cluster in ``data``.

    Raises
    ------
    ClusterError
        Where its control file cannot be read.
    """
    done = runner.run("pg_controldata", "-D", data)
    found = re.search(r"^Database system identifier:\s+(\d+)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise explained(done.stderr or done.stdout, data, "the cluster's control file cannot be read")
    return found[1]


def size_of(folder: Path) -> int:
    """Return the bytes of the files below a folder."""
    return sum(
        (Path(parent) / name).lstat().st_size for parent, _, names in os.walk(folder) for name in names
    )


def _read(path: Path) -> Backup:
    """Read what is known of a backup."""
    try:
        said = json.loads(path.read_text())
        return Backup(**said | {"finished": datetime.fromisoformat(said["finished"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClusterError(
            f"what is known of this backup cannot be read ({error})",
            path,
            "Restore the file, or move its folder away: the other backups can be used then",
        ) from error
