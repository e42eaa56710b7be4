"""The archive of the write-ahead log: how the server fills it, what lies in it, and what is missing.

The log comes in segments of 16 MiB, whose names are those of PostgreSQL: timeline, and number of the segment
in hexadecimal digits. A restore begins a new timeline; a file ``<timeline>.history`` says from which ones,
and where in the log, it branched off.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

#: What initdb makes unless it is told otherwise.
SEGMENT_BYTES = 16 * 1024**2
_PER_LOG = (1 << 32) // SEGMENT_BYTES
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})")
_HISTORY = re.compile(r"([0-9A-F]{8})\.history")
#: Commits of the last minute may be lost with the disk of the cluster.
_TIMEOUT = "60s"


@dataclass(frozen=True, order=True)
class Segment:
    """A piece of the log: its number, and the timeline that it belongs to."""

    number: int
    timeline: int

    def __str__(self) -> str:
        """Name of its file."""
        return f"{self.timeline:08X}{self.number // _PER_LOG:08X}{self.number % _PER_LOG:08X}"

    @property
    def start(self) -> int:
        """Where in the log it begins, in bytes."""
        return self.number * SEGMENT_BYTES


def server_settings(folder: Path) -> dict[str, str]:
    """Return the settings with which a server archives its log into ``folder``."""
    return {
        "wal_level": "replica",
        "max_wal_senders": "4",
        "archive_mode": "on",
        "archive_timeout": _TIMEOUT,
        "archive_command": _archive_command(folder),
    }


def restore_command(folder: Path) -> str:
    """Return the command with which a server that recovers takes a segment out of ``folder``."""
    return f'cp {_quoted(folder)}/%f "%p"'


def position(text: str) -> int:
    """Return a place in the log (``1/5A000028``) in bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def segments(folder: Path) -> list[Segment]:
    """Return the segments in an archive, in order."""
    found = (_SEGMENT.fullmatch(path.name) for path in folder.iterdir())
    return sorted(
        Segment(int(match[2], 16) * _PER_LOG + int(match[3], 16), int(match[1], 16))
        for match in found
        if match
    )


def newest_timeline(folder: Path) -> int:
    """Return the timeline that the last restore began; 1 where there was none."""
    found = (_HISTORY.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[1], 16) for match in found if match), default=1)


def ancestry(folder: Path, timeline: int) -> dict[int, int | None]:
    """Return the timelines that one is made of, and where each ends in the log; the last does not.

    Raises
    ------
    ValueError
        If a history file cannot be understood.
    """
    path = folder / f"{timeline:08X}.history"
    lines = path.read_text().splitlines() if path.exists() else []
    parents = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return {int(number): position(end) for number, end, *_ in parents} | {timeline: None}


def last_segment(folder: Path, timeline: int) -> Segment | None:
    """Return the last segment of a timeline or of those it is made of; None for an empty archive."""
    ends = ancestry(folder, timeline)
    mine = [one for one in segments(folder) if one.timeline in ends and _is_before(one, ends[one.timeline])]
    return max(mine, default=None)


def missing(folder: Path, first: int, timeline: int) -> list[int]:
    """Return the numbers of the segments from ``first`` to the last that no timeline of the ancestry has."""
    last = last_segment(folder, timeline)
    if last is None or last.number < first:
        return []
    ends = ancestry(folder, timeline)
    there = {one.number for one in segments(folder) if one.timeline in ends}
    return [number for number in range(first, last.number + 1) if number not in there]


def _is_before(segment: Segment, end: int | None) -> bool:
    """Whether a segment begins before the end of its timeline."""
    return end is None or segment.start < end


def _archive_command(folder: Path) -> str:
    """Command that copies a segment whole or not at all, on disk before the server forgets it.

    A segment that is there already must be the same; another cluster's is never overwritten.
    """
    kept = f"{_quoted(folder)}/%f"
    copied = f"cp %p {kept}.part && sync {kept}.part && mv {kept}.part {kept} && sync {_quoted(folder)}"
    return f"if test -f {kept}; then cmp -s %p {kept}; else {copied}; fi"


def _quoted(folder: Path) -> str:
    """Path as a word of the shell, in which the server replaces no percent sign."""
    return shlex.quote(str(folder)).replace("%", "%%")
