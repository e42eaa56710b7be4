"""A base backup: made beside its place, verified, then named; and old ones forgotten with their log."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from roman_db.backup.server import connected, folder_of, runner_of
from roman_db.cluster import lifecycle, lock
from roman_db.cluster.backup_folder import Backup, BackupFolder, backups, size_of, write_description
from roman_db.cluster.diagnosis import explained
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout, make_private_folder
from roman_db.cluster.process import Runner
from roman_db.cluster.wal_archive import Segment
from roman_db.code_version import code_version
from roman_db.settings import Settings

_START = re.compile(r"START WAL LOCATION: (?P<lsn>[0-9A-F]+/[0-9A-F]+)")
_TIMELINE = re.compile(r"START TIMELINE: (?P<timeline>\d+)")
_END = re.compile(r'"End-LSN": "(?P<lsn>[0-9A-F]+/[0-9A-F]+)"')
_READINESS = sa.text(
    """
    SELECT current_setting('archive_mode') = 'on', clock_timestamp(),
        ARRAY(SELECT spcname::text FROM pg_tablespace WHERE spcname NOT LIKE 'pg\\_%')
    """
)


def take(settings: Settings) -> Backup:
    """Make a base backup of the private server while it works, and verify it.

    Raises
    ------
    ClusterError
        Where the server does not archive its log, or the backup cannot be made: nothing is left of it then.
    """
    folder, layout = folder_of(settings), Layout(settings.home)
    url = str(lifecycle.start(settings).url)
    runner = runner_of(settings, layout)
    begun = _check_ready(url)
    with lock.held(folder.root / "backup.lock", timeout_s=0) as descriptor:
        if descriptor is None:
            raise ClusterError(
                "another backup is being made", folder.root, "Wait for it, and look at its end"
            )
        label = f"{begun.astimezone(UTC):%Y%m%dT%H%M%S}.{begun.microsecond // 1000:03d}Z"
        return _take(folder, label, runner, url)


def _take(folder: BackupFolder, label: str, runner: Runner, url: str) -> Backup:
    """Make a base backup; nobody else does."""
    _forget_unfinished(folder)
    draft = folder.unfinished(label)
    make_private_folder(draft, runner.account)
    try:
        _copy(runner, label, draft / "data", url)
        verify(draft / "data", runner)
        with connected(url) as connection:
            finished = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        backup = _described(draft / "data", label, finished)
        write_description(draft, backup)
        draft.replace(folder.base / label)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return backup


def forget(settings: Settings, keep: int) -> list[Backup]:
    """Remove all but the newest ``keep`` base backups, and the log that only they need; return those removed.

    Raises
    ------
    ClusterError
        Where they cannot be removed.
    """
    folder = folder_of(settings)
    found = backups(folder)
    old, kept = found[:-keep], found[-keep:]
    for backup in old:
        # Out of sight first: a backup that is half removed must not be taken for one.
        gone = folder.unfinished(backup.label)
        (folder.base / backup.label).replace(gone)
        shutil.rmtree(gone)
    if kept:
        oldest = min(kept, key=lambda one: one.first_segment)
        runner = runner_of(settings, Layout(settings.home))
        first = Segment(oldest.first_segment, oldest.timeline)
        done = runner.run("pg_archivecleanup", folder.wal, str(first))
        if done.returncode != 0:
            raise explained(done.stderr, folder.wal, "old segments of the log were not removed")
    return old


def verify(data: Path, runner: Runner) -> None:
    """Check each file of a base backup against its manifest, and that its log can be read.

    Raises
    ------
    ClusterError
        Where a file is missing, changed, or of another size.
    """
    done = runner.run("pg_verifybackup", "--quiet", data)
    if done.returncode != 0:
        said = " / ".join(line.removeprefix("pg_verifybackup: ") for line in done.stderr.splitlines()[:4])
        raise ClusterError(
            f"the base backup is damaged ({said})", data, "Use another one, and look at the disk"
        )


def _check_ready(url: str) -> datetime:
    """Check that the server can be backed up, and return its time."""
    with connected(url) as connection:
        is_archiving, now, tablespaces = connection.execute(_READINESS).one()
    if not is_archiving:
        raise ClusterError(
            "the server runs without archiving its log",
            "ROMAN_DB_BACKUP_FOLDER",
            "It was started before this was set: roman-db cluster stop, then roman-db cluster start",
        )
    if tablespaces:
        raise ClusterError(
            f"the server has tablespaces outside of its folder: {', '.join(tablespaces)}",
            url,
            "Move their tables back, or use a tool that knows tablespaces, such as pgBackRest",
        )
    return datetime.fromisoformat(str(now))


def _forget_unfinished(folder: BackupFolder) -> None:
    """Remove what interrupted backups left."""
    for left in folder.left_unfinished():
        shutil.rmtree(left)


def _copy(runner: Runner, label: str, data: Path, url: str) -> None:
    """Copy the cluster, page checksums read, with the log that makes the copy consistent."""
    done = runner.run(
        "pg_basebackup",
        f"--pgdata={data}",
        "--wal-method=stream",
        "--checkpoint=fast",
        f"--label={label}",
        f"--dbname={url}",
        "--no-password",
    )
    if done.returncode != 0:
        raise explained(done.stderr, data.parent, "the base backup failed")


def _described(data: Path, label: str, finished: datetime) -> Backup:
    """What is to be known of a base backup, as its own files have it."""
    begin = (data / "backup_label").read_text()
    manifest = (data / "backup_manifest").read_text()
    start, timeline, end = _START.search(begin), _TIMELINE.search(begin), _END.search(manifest)
    if start is None or timeline is None or end is None:
        raise ClusterError(
            "backup_label or backup_manifest is not as PostgreSQL 15 writes it", data, "Report this"
        )
    size = size_of(data)
    return Backup(label, finished, int(timeline["timeline"]), start["lsn"], end["lsn"], size, code_version())
