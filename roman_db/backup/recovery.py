"""A server beside the cluster that replays the archived log up to a moment and is an ordinary one from there.

It runs as a hot standby: at the moment it stops and waits, and where the log ends it waits for more. So it
can be asked how far it came before it is promoted, and a log that ends too early is seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from roman_db.backup.server import connected
from roman_db.cluster import configuration, lifecycle, wal_archive
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.process import Runner
from roman_db.cluster.wal_archive import Segment

#: Weeks of log may have to be replayed.
_PATIENCE_S = 7 * 86_400
_PAUSE_S = 0.2
#: A standby wants at least as much as the server that wrote the log had, on whatever machine.
_STANDBY = {
    "hot_standby": "on",
    "wal_level": "replica",
    "max_wal_senders": "64",
    "max_worker_processes": "1024",
}
_FAR = sa.text(
    """
    SELECT pg_get_wal_replay_pause_state() = 'paused' AS is_there,
        EXISTS (
            SELECT FROM pg_stat_activity
            WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval'
        ) AS is_out_of_log,
        pg_last_wal_replay_lsn()::text AS lsn, pg_last_xact_replay_timestamp() AS last_commit
    """
)
_PROMOTE = sa.text("SELECT pg_promote(true, 600)")
_TIMELINE = sa.text("SELECT timeline_id FROM pg_control_checkpoint()")


@dataclass(frozen=True)
class Target:
    """How far to replay.

    Parameters
    ----------
    archive
        Folder of the log.
    timeline
        Timeline to follow.
    moment
        The last commit is not later than this; None for all there is.
    """

    archive: Path
    timeline: int
    moment: datetime | None


@dataclass(frozen=True)
class Reached:
    """How far a recovery came: its last commit (None: none since the base backup), and its new timeline."""

    last_commit: datetime | None
    timeline: int


def recover(layout: Layout, runner: Runner, target: Target) -> tuple[str, Reached]:
    """Replay the log in the configured cluster of a home, and promote it; it runs at the URL returned.

    Raises
    ------
    ClusterError
        Where the log ends before the moment, or cannot be read to its end: the server still runs then.
    """
    _aim(layout.data, target)
    url = lifecycle.url_of(layout, lifecycle.launch(layout, runner, _PATIENCE_S))
    with connected(url) as connection:
        far = _wait(connection)
        _check(far, target, runner)
        connection.execute(_PROMOTE)
        connection.exec_driver_sql("CHECKPOINT")
        timeline = connection.execute(_TIMELINE).scalar_one()
    return url, Reached(far.last_commit, timeline)


def _aim(data: Path, target: Target) -> None:
    """Tell the server what to replay; its configuration is written anew at the next start."""
    lines = [
        f"restore_command = {_literal(wal_archive.restore_command(target.archive))}",
        f"recovery_target_timeline = '{target.timeline}'",
        "recovery_target_action = 'pause'",
        "wal_retrieve_retry_interval = '1s'",
        *(f"{name} = '{value}'" for name, value in _STANDBY.items()),
    ]
    if target.moment is not None:
        lines.append(f"recovery_target_time = '{target.moment.astimezone(UTC).isoformat(sep=' ')}'")
    own = (data / configuration.FILE).read_text()
    configuration.write_files(data, {configuration.FILE: own + "\n".join(lines) + "\n", "standby.signal": ""})


def _wait(connection: sa.Connection) -> sa.Row[tuple[bool, bool, str, datetime]]:
    """Wait until the moment is reached, or there is no more log; return how far that is."""
    while True:
        far = connection.execute(_FAR).one()
        if far.is_there or far.is_out_of_log:
            return far
        time.sleep(_PAUSE_S)


def _check(far: sa.Row[tuple[bool, bool, str, datetime]], target: Target, runner: Runner) -> None:
    """Raise unless all that was asked for was replayed."""
    if far.is_there:
        return
    last = wal_archive.last_segment(target.archive, target.timeline)
    if last is not None and not _is_read(far.lsn, last, target.archive, runner):
        raise ClusterError(
            f"the log cannot be read from {far.lsn} on (last commit {_said(far.last_commit)}), but goes "
            f"on to the end of segment {last}: the segment at that place is damaged",
            target.archive,
            "Bring that segment back from a copy, or restore to a moment not later than this commit",
        )
    if target.moment is not None:
        raise ClusterError(
            f"the log ends with a commit at {_said(far.last_commit)}, before {_said(target.moment)}",
            target.archive,
            "Restore to that commit, or leave out --to for all there is",
        )


def _is_read(lsn: str, last: Segment, archive: Path, runner: Runner) -> bool:
    """Whether nothing is left of an archive, whose last segment is given: what is archived is whole."""
    place = wal_archive.position(lsn)
    if place <= last.start:
        return False
    if place >= Segment(last.number + 1, last.timeline).start:
        return True
    return runner.run("pg_waldump", "--quiet", f"--path={archive}", str(last), str(last)).returncode == 0


def _said(moment: datetime | None) -> str:
    return "none" if moment is None else moment.astimezone(UTC).isoformat()


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
