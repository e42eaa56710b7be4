"""What there is in a folder of backups, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from roman_db.backup import take
from roman_db.backup.server import connected
from roman_db.cluster import lifecycle, wal_archive
from roman_db.cluster.backup_folder import Backup, BackupFolder
from roman_db.cluster.error import ClusterError
from roman_db.cluster.process import Runner
from roman_db.cluster.wal_archive import Segment
from roman_db.settings import Settings

_FAILURE = sa.text(
    """
    SELECT last_failed_wal, last_failed_time FROM pg_stat_archiver
    WHERE last_failed_time > coalesce(last_archived_time, '-infinity')
    """
)


@dataclass(frozen=True)
class Archive:
    """The archive of the log: its last segment, when that came, its timeline, and what is wrong with it."""

    last: str | None
    last_at: datetime | None
    timeline: int
    fault: str | None


def archive_of(settings: Settings, folder: BackupFolder, found: list[Backup]) -> Archive:
    """Return the state of the archive that backups go with."""
    timeline = wal_archive.newest_timeline(folder.wal)
    last = wal_archive.last_segment(folder.wal, timeline)
    last_at = None
    if last is not None:
        last_at = datetime.fromtimestamp((folder.wal / str(last)).stat().st_mtime, UTC)
    fault = _gap(folder, found, timeline) or _failure(settings)
    return Archive(None if last is None else str(last), last_at, timeline, fault)


def faults(folder: BackupFolder, found: list[Backup], runner: Runner) -> Iterator[str]:
    """Read all base backups and all of the log, and yield what is wrong, in words."""
    for backup in found:
        try:
            take.verify(folder.data(backup.label), runner)
        except ClusterError as error:
            yield str(error)
    if found:
        first = min(backup.first_segment for backup in found)
        yield from _unreadable(folder, first, runner)


def _unreadable(folder: BackupFolder, first: int, runner: Runner) -> Iterator[str]:
    """Yield what is wrong with the records of the log, timeline by timeline, run by run of segments."""
    for run in _runs([one for one in wal_archive.segments(folder.wal) if one.number >= first]):
        done = runner.run("pg_waldump", "--quiet", f"--path={folder.wal}", str(run[0]), str(run[-1]))
        if done.returncode != 0:
            said = " / ".join(done.stderr.splitlines()[:2]).replace("pg_waldump: error: ", "")
            yield f"{folder.wal}: the log from {run[0]} to {run[-1]} cannot be read: {said}"


def _runs(segments: list[Segment]) -> list[list[Segment]]:
    """Segments of one timeline that follow one another."""
    runs: list[list[Segment]] = []
    for one in sorted(segments, key=lambda segment: (segment.timeline, segment.number)):
        previous = runs[-1][-1] if runs else None
        if previous == Segment(one.number - 1, one.timeline):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _gap(folder: BackupFolder, found: list[Backup], timeline: int) -> str | None:
    """What is missing of the log since the oldest backup that the timeline goes through."""
    known = wal_archive.ancestry(folder.wal, timeline)
    firsts = [backup.first_segment for backup in found if backup.timeline in known]
    gone = wal_archive.missing(folder.wal, min(firsts), timeline) if firsts else []
    return f"{len(gone)} segments are missing, the first {Segment(gone[0], timeline)}" if gone else None


def _failure(settings: Settings) -> str | None:
    """What the running server cannot archive."""
    status = lifecycle.status(settings)
    if status.url is None or settings.backup_folder is None:
        return None
    with connected(status.url) as connection:
        row = connection.execute(_FAILURE).one_or_none()
    if row is None:
        return None
    return f"segment {row[0]} cannot be archived since {row[1]:%Y-%m-%d %H:%M:%S}: see {status.log}"
