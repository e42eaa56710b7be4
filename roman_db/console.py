"""What commands print: progress with an estimate of the time left, and the counts of a run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from roman_db.jobs import ModeReport
from roman_db.load_run import Counts
from roman_db.rejected_inputs import RejectedInputs

#: Exit code of a command that did its work but had to refuse some of its input.
EXIT_REJECTED = 1

_WHY = "SELECT source, row_number, code, reason, remedy FROM ops.load_rejection WHERE {}"
_NEWEST = "load_run_id = (SELECT max(load_run_id) FROM ops.load_rejection)"


#: Failed units that are named.
_SHOWN = 10

Step = Callable[[str, int, int], None]

#: Seconds between the lines that say how far a command is where there is no terminal to draw a bar on.
_LINE_EVERY = 30.0


@contextmanager
def progress_bar() -> Iterator[Step]:
    """Show how far a command is; what is yielded is told text, steps done and steps in all.

    A bar on standard error where that is a terminal; elsewhere, such as in the log of a scheduler, a line now
    and then.
    """
    if not sys.stderr.isatty():
        yield progress_lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def step(text: str, done: int, total: int) -> None:
            """Move the bar."""
            progress.update(task, description=text, completed=done, total=total)

        yield step


def progress_lines(every: float = _LINE_EVERY, clock: Callable[[], float] = time.monotonic) -> Step:
    """Log progress, with an estimate of the time left, at most once in ``every`` seconds."""
    began: dict[tuple[str, int], tuple[float, int]] = {}
    reached: dict[tuple[str, int], int] = {}
    last = clock()

    def step(text: str, done: int, total: int) -> None:
        """Log a line if the last is long ago."""
        nonlocal last
        now = clock()
        # Another first word or number of steps is another task, and so is one that begins anew.
        task = text.split(maxsplit=1)[0], total
        if done < reached.get(task, 0):
            began.pop(task)
        reached[task] = done
        start, done_before = began.setdefault(task, (now, done))
        if now - last < every:
            return
        last = now
        made = done - done_before
        left = round((now - start) * (total - done) / made) if made else None
        structlog.get_logger().info("progress", step=text, done=done, total=total, seconds_left=left)

    return step


def finish(counts: Counts, what: str, runs: Sequence[int] = ()) -> None:
    """Print what became of a run, and end with an exit code that says whether anything was refused.

    Parameters
    ----------
    counts
        Of all that was read.
    what
        Name of what is counted.
    runs
        All runs of the command, where it made several.
    """
    click.echo(
        f"{counts.read} {what} read: {counts.loaded} loaded ({counts.unchanged} of them were there already), "
        f"{counts.rejected} rejected."
    )
    if counts.rejected:
        tell_why(runs)
        sys.exit(EXIT_REJECTED)


def tell_why(runs: Sequence[int] = ()) -> None:
    """Say on standard error how to find out why some runs, else the latest, refused some of their input."""
    click.echo(f'Why: roman-db query "{_WHY.format(_among(runs) if runs else _NEWEST)}"', err=True)


def _among(runs: Sequence[int]) -> str:
    """Condition of runs, those that follow each other as a range: there may be thousands."""
    ranges: list[list[int]] = []
    for run in sorted(runs):
        if ranges and run == ranges[-1][1] + 1:
            ranges[-1][1] = run
        else:
            ranges.append([run, run])
    return " OR ".join(
        f"load_run_id BETWEEN {first} AND {last}" if last > first else f"load_run_id = {first}"
        for first, last in ranges
    )


def tell_rejected(rejected: RejectedInputs) -> None:
    """Say what a run of a mode refused, and how to find out why."""
    if rejected:
        click.echo(f"{rejected} rejected.")
        tell_why()


def tell_failed(report: ModeReport) -> None:
    """Name the units that failed, with their reasons."""
    for unit, reason in list(report.failed.items())[:_SHOWN]:
        click.echo(f"{click.style('failed', fg='red')} {unit}: {' '.join(reason.split())}")
    if len(report.failed) > _SHOWN:
        query = f"SELECT task, unit, message FROM ops.task_run WHERE load_run_id = {report.load_run_id}"
        click.echo(f'and {len(report.failed) - _SHOWN} more: roman-db query "{query}"')
