"""``roman-db run daily``, and how it reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from roman_db.console import EXIT_REJECTED, progress_bar, tell_why

if TYPE_CHECKING:
    from loaders.daily.load import DailySummary, MetricSummary
    from roman_db.jobs import ModeReport

#: Days before and after any observation.
_FIRST, _LAST = 0, 1_000_000


@click.command()
@click.option("--day", type=int, help="Only this day (MJD TDB). Default: all days with work to do.")
@click.option("--detector", help="Only this detector, such as WFI07.")
@click.option("--optical-element", help="Only this optical element, such as F146.")
@click.option("--redo", is_flag=True, help="Do again what is done: new blocks take the place of the old.")
def daily(day: int | None, detector: str | None, optical_element: str | None, redo: bool) -> None:
    """Update PSFs, photometer all new exposures and write the light curves.

    What is done already is left alone, so it can be repeated at any time. Exit code 1: a unit failed or an
    exposure had to be refused.
    """
    from loaders.daily.load import DAILY, summarise_run
    from roman_db import migrate
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    arguments = {
        "first_day": _FIRST if day is None else day,
        "last_day": _LAST if day is None else day,
        "detector": detector,
        "optical_element": optical_element,
        "redo": redo,
    }
    with progress_bar() as step:
        report = run_mode(DAILY, arguments, step)
    summary = summarise_run(report.load_run_id)
    print_report(report, summary)
    if report.failed or summary.n_rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(daily)


def print_report(report: ModeReport, summary: DailySummary) -> None:
    """Print what was done, what failed, and the quality against the limits."""
    click.echo(
        f"Run {report.load_run_id}: {len(report.succeeded)} units done, {len(report.failed)} failed; "
        f"{summary.n_block} blocks of {summary.n_exposure} exposures and {summary.n_point:,} points written."
    )
    if summary.metrics:
        Console().print(_metric_table(summary.metrics))
    for unit, reason in report.failed.items():
        click.echo(f"{click.style('failed', fg='red')} {unit}: {' '.join(reason.split())}")
    if summary.n_rejected:
        click.echo(f"{summary.n_rejected} exposures rejected.")
        tell_why()


def _metric_table(metrics: tuple[MetricSummary, ...]) -> Table:
    """Metrics, one a row."""
    table = Table("quality metric", "measured", "median", "least", "largest", "verdict")
    for metric in metrics:
        values = (_number(value) for value in (metric.median, metric.least, metric.largest))
        table.add_row(metric.metric, str(metric.n), *values, _verdict(metric))
    return table


def _number(value: float | None) -> str:
    """Value with four digits."""
    return "" if value is None else f"{value:.4g}"


def _verdict(metric: MetricSummary) -> str:
    """How many are outside the limits."""
    if metric.n_failure:
        return f"[red]{metric.n_failure} failures[/red]"
    return f"[yellow]{metric.n_warning} warnings[/yellow]" if metric.n_warning else "good"
