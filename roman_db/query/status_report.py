"""The status on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from roman_db.query.status import Run, Status

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def report(status: Status) -> Iterator[str]:
    """Yield the lines."""
    yield f"roman-db {status.version}"
    yield status.server
    yield f"queries run as {status.reader}"
    light_curves = f"light curves {_size(status.light_curve_bytes)}"
    yield f"size {_size(status.size_bytes)}, of which {light_curves}"
    yield ""
    yield from (f"{count!s:>24}  {name}" for name, count in status.counts.items())
    if status.end_mjd:
        yield f"{'':>24}  from day {status.first_mjd} to {status.end_mjd - 1} (MJD TDB)"
    yield ""
    yield from _runs(status)
    yield ""
    yield f"quality metrics of these runs: {_listed(status.verdicts)}"


def _runs(status: Status) -> Iterator[str]:
    """Yield the latest runs, and how many of all need a look."""
    if not status.runs:
        yield "no run yet"
        return
    yield _cells(
        "run", "task", "state", "begun (UTC)", "took", "loaded", "unchanged", "rejected", "units failed"
    )
    for run in status.runs:
        yield _run(run)
        if run.message:
            yield f"{'':>9}{' '.join(run.message.split()):.100}"
    if status.run_states:
        yield f"of all runs: {_listed(status.run_states)}"


def _run(run: Run) -> str:
    """One run."""
    ended = run.finished_at or (datetime.now(UTC) if run.state == "running" else None)
    took = _duration(ended - run.started_at) if ended else "unknown"
    numbers = (f"{number:,}" for number in (run.n_loaded, run.n_unchanged, run.n_rejected, run.n_failed_unit))
    begun = f"{run.started_at:%Y-%m-%d %H:%M}"
    return _cells(str(run.load_run_id), f"{run.task:.14}", run.state, begun, took, *numbers)


def _cells(*texts: str) -> str:
    """Texts in the columns of the table of runs: numbers to the right."""
    run, task, state, begun, *numbers = texts
    cells = (f"{number:>{width}}" for number, width in zip(numbers, (9, 11, 11, 10, 14), strict=True))
    return f"{run:>6}  {task:<15}{state:<14}{begun:<16}" + "".join(cells)


def _duration(took: timedelta) -> str:
    """Duration in the largest units that matter."""
    seconds = int(took.total_seconds())
    if seconds < 120:
        return f"{took.total_seconds():.1f} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _listed(numbers: dict[str, int]) -> str:
    """Numbers with their names."""
    return ", ".join(f"{number:,} {name}" for name, number in sorted(numbers.items())) or "none"


def _size(size: int) -> str:
    """Size in the largest unit of which there is one."""
    value = float(size)
    for unit in _UNITS[:-1]:
        if value < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} {_UNITS[-1]}"
