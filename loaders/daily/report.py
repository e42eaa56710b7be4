"""The quality report of a daily run, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from loaders.daily.load import DailySummary, MetricSummary
from roman_db.jobs import ModeReport


def print_report(report: ModeReport, summary: DailySummary) -> None:
    """Print what was done, what failed, and the quality against the limits."""
    console = Console()
    console.print(
        f"Run {report.load_run_id}: {len(report.succeeded)} units done, {len(report.failed)} failed; "
        f"{summary.n_block} blocks of {summary.n_exposure} exposures and {summary.n_point:,} points written."
    )
    if summary.metrics:
        console.print(_metric_table(summary.metrics))
    for unit, reason in report.failed.items():
        console.print(f"[red]failed[/red] {unit}: {reason}", highlight=False)


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
