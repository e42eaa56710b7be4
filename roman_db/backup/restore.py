"""The cluster as it was at a moment: restored beside its place, proved whole, then swapped in."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from roman_db.backup import take
from roman_db.backup.recovery import Reached, Target, recover
from roman_db.backup.server import connected, folder_of
from roman_db.cluster import binaries, configuration, creation, lifecycle, wal_archive
from roman_db.cluster.account import server_account
from roman_db.cluster.backup_folder import (
    Backup,
    BackupFolder,
    backups,
)
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout, make_home, make_private_folder
from roman_db.cluster.process import Runner
from roman_db.settings import Settings

#: Room beside the restored files: log that is replayed and written.
_ROOM_BYTES = 256 * 1024**2
_MARK = sa.text("SELECT pg_current_xact_id()")
_PASSWORD = sa.text(
    f"SELECT format('ALTER ROLE {configuration.ADMINISTRATOR} PASSWORD %L', CAST(:password AS text))"
)


@dataclass(frozen=True)
class Wish:
    """What to restore: until when (None: all there is), from where, which timeline (None: the usual)."""

    moment: datetime | None = None
    source: Path | None = None
    timeline: int | None = None


@dataclass(frozen=True)
class Restored:
    """What was restored: from which base backup, how far, and where the cluster before lies, if any."""

    backup: Backup
    reached: Reached
    before: Path | None


def restore(settings: Settings, wish: Wish) -> Restored:
    """Restore the private cluster and start it.

    The cluster that is there is stopped; its last changes are archived first, where it still starts. It is
    kept beside the new one, and stays in its place until what is restored has proved whole.

    Raises
    ------
    ClusterError
        Where there is no backup of that moment, it or the log is damaged, or there is no room.
    """
    folder, layout = folder_of(settings, wish.source), Layout(settings.home)
    if wish.moment is not None and wish.moment > datetime.now(UTC):
        raise ClusterError(f"{wish.moment.isoformat()} is still to come", "--to", "Name a moment of the past")
    account = server_account(layout.data)
    make_home(layout.home, account)
    _flush(settings, layout)
    timeline = wish.timeline or wal_archive.newest_timeline(_existing(folder.wal))
    backup = choose(folder, wish.moment, timeline)
    _check_log(folder, backup, timeline)
    with lifecycle.alone(layout):
        beside = _beside(layout, settings)
        runner = Runner(beside.home, binaries.choose(settings.pg_bin, layout), account, lock=None)
        lifecycle.halt(layout, runner)
        try:
            reached = _rebuild(settings, beside, runner, Target(folder.wal, timeline, wish.moment), backup)
            before = _swap(layout, beside)
        finally:
            _remove(beside, runner)
    lifecycle.start(settings)
    return Restored(backup, reached, before)


def choose(folder: BackupFolder, moment: datetime | None, timeline: int) -> Backup:
    """Return the newest base backup that was finished by a moment and that a timeline goes through.

    Raises
    ------
    ClusterError
        Where there is none, with those that there are.
    """
    found = backups(folder)
    ends = wal_archive.ancestry(folder.wal, timeline)
    fitting = [
        one
        for one in found
        if (moment is None or one.finished <= moment) and _is_on(one, ends) and one.timeline in ends
    ]
    if not fitting:
        there = ", ".join(f"{one.finished.isoformat()} (timeline {one.timeline})" for one in found) or "none"
        when = "" if moment is None else f" by {moment.isoformat()}"
        raise ClusterError(
            f"no base backup of timeline {timeline} was finished{when}; there are: {there}",
            folder.base,
            "Choose a later moment, or another timeline: roman-db cluster backups lists them",
        )
    return fitting[-1]


def _is_on(backup: Backup, ends: dict[int, int | None]) -> bool:
    """Whether a backup was finished before its timeline was left."""
    end = ends.get(backup.timeline)
    return end is None or wal_archive.position(backup.end_lsn) <= end


def _existing(wal: Path) -> Path:
    """Return the folder of the log, which must be there."""
    if not wal.is_dir():
        raise ClusterError(
            "there is no archive of the log", wal, "Name the folder that has base/ and wal/ in it"
        )
    return wal


def _check_log(folder: BackupFolder, backup: Backup, timeline: int) -> None:
    """Raise where segments of the log are missing between a backup and the last that there is."""
    gone = wal_archive.missing(folder.wal, backup.first_segment, timeline)
    if gone:
        first, last = (wal_archive.Segment(number, timeline) for number in (gone[0], gone[-1]))
        raise ClusterError(
            f"{len(gone)} segments of the log are missing, from {first} to {last}",
            folder.wal,
            f"Bring them back from a copy. Without them only what was committed before {first} can be "
            "restored: move the segments after it away, and restore without --to",
        )


def _flush(settings: Settings, layout: Layout) -> None:
    """Let the cluster that is there archive its last changes; one that does not start has none to give."""
    if settings.backup_folder is None or binaries.cluster_major(layout.data) is None:
        return
    with contextlib.suppress(ClusterError):
        status = lifecycle.start(settings)
        with contextlib.suppress(sa.exc.SQLAlchemyError), connected(str(status.url)) as connection:
            # A commit after the moment that is asked for: recovery stops at commits alone.
            connection.execute(_MARK)
        # It archives what is left of its log before it ends.
        lifecycle.stop(settings)


def _beside(layout: Layout, settings: Settings) -> Layout:
    """Return a home within the home, of which an interrupted restore has left nothing."""
    beside = Layout(layout.home / "restoring")
    if beside.home.exists():
        runner = Runner(
            layout.home, binaries.choose(settings.pg_bin, layout), server_account(layout.data), None
        )
        _remove(beside, runner)
    return beside


def _remove(beside: Layout, runner: Runner) -> None:
    """Stop the server of a home within the home, and remove it."""
    if beside.home.exists():
        lifecycle.halt(beside, runner, "immediate")
        shutil.rmtree(beside.home)


def _rebuild(settings: Settings, beside: Layout, runner: Runner, target: Target, backup: Backup) -> Reached:
    """Copy a base backup beside the cluster, verify the copy, replay the log, and stop it."""
    home = Layout(settings.home)
    source = BackupFolder(target.archive.parent).data(backup.label)
    free = shutil.disk_usage(beside.home.parent).free
    if free < backup.size_bytes + _ROOM_BYTES:
        raise ClusterError(
            f"the backup has {backup.size_bytes // 1024**2} MiB, and the disk {free // 1024**2} MiB free",
            beside.home,
            "Free space, or move the cluster that is there away after roman-db cluster stop",
        )
    make_private_folder(beside.home, runner.account)
    _copy(source, beside.data, runner)
    take.verify(beside.data, runner)
    _rescue(home, beside, target.archive, runner)
    lifecycle.configure(settings, beside, runner)
    url, reached = recover(beside, runner, target)
    _keep_password(home, url)
    lifecycle.halt(beside, runner)
    return reached


def _copy(source: Path, target: Path, runner: Runner) -> None:
    """Copy a base backup, as files of the server's account."""
    try:
        shutil.copytree(source, target, symlinks=True)
    except (OSError, shutil.Error) as error:
        raise ClusterError(
            f"the base backup cannot be copied ({error})", source, "Look at the disks of both folders"
        ) from error
    if not runner.account.is_current:
        for path in (target, *target.rglob("*")):
            os.chown(path, runner.account.uid, runner.account.gid, follow_symlinks=False)


def _rescue(home: Layout, beside: Layout, archive: Path, runner: Runner) -> None:
    """Take what the cluster that is there has of its log and did not archive, for it may not have started.

    Each segment says of which cluster it is, and the server that recovers ends before one of another.
    """
    log = home.data / "pg_wal"
    for segment in map(str, wal_archive.segments(log) if log.is_dir() else ()):
        if not (archive / segment).exists():
            shutil.copyfile(log / segment, beside.data / "pg_wal" / segment)
            os.chown(beside.data / "pg_wal" / segment, runner.account.uid, runner.account.gid)


def _keep_password(home: Layout, url: str) -> None:
    """Give the administrator the password that stands in the home: that of the backup may be of another home.

    So whichever cluster a restore leaves in its place, wherever it dies, has the password of the home.
    """
    password = creation.password_of(home)
    if password is None:
        password = secrets.token_urlsafe(32)
        creation.write_passfile(home, password)
    with connected(url) as connection:
        connection.exec_driver_sql(connection.execute(_PASSWORD, {"password": password}).scalar_one())


def _swap(layout: Layout, beside: Layout) -> Path | None:
    """Put the restored cluster in the place of the one that is there, which is kept."""
    before = None
    if layout.data.exists():
        before = layout.home / f"cluster.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        layout.data.replace(before)
    beside.data.replace(layout.data)
    return before
