"""``roman-db run daily``, and how it reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from roman_db.option_types import MISSION

if TYPE_CHECKING:
    from rich.table import Table

    from loaders.daily.load import Choices, DailySummary, MetricSummary
    from roman_db.jobs import ModeReport


@click.command()
@click.option("--day", type=int, help="Only this day (MJD TDB). Default: all days with work to do.")
@click.option("--detector", help="Only this detector, such as WFI07.")
@click.option("--optical-element", help="Only this optical element, such as F146.")
@click.option("--redo", is_flag=True, help="Do again what is done: new blocks take the place of the old.")
@click.option(
    "--fit-positions",
    is_flag=True,
    help="Fit the positions of bright stars together with all fluxes; light curves of a kind of their own, "
    "psf_free.",
)
@click.option(
    "--aperture",
    is_flag=True,
    help="Sum the light in circles of 0.4 arcsec instead of fitting PSFs; light curves of a kind of their "
    "own, aperture.",
)
def daily(redo: bool, fit_positions: bool, aperture: bool, **chosen: Any) -> None:
    """Update PSFs, photometer all new exposures and write the light curves.

    What is done already is left alone, so it can be repeated at any time. Exit code 1: a unit failed or an
    exposure had to be refused.
    """
    from loaders.daily.load import read_choices, summarise_run
    from loaders.daily.tasks import APERTURES, DAILY, selection
    from loaders.photometry.load import APERTURE, EVERY_DAY, FREE
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar
    from roman_db.jobs import run_mode

    if fit_positions and aperture:
        raise click.UsageError("Give one of --fit-positions and --aperture.")
    migrate.ensure_current()
    check_selection(read_choices(), **chosen)
    kind = FREE if fit_positions else APERTURE if aperture else EVERY_DAY
    arguments = selection(**chosen, redo=redo, photometry_kind=kind)
    with progress_bar() as step:
        report = run_mode(APERTURES if aperture else DAILY, arguments, step)
    summary = summarise_run(report.load_run_id)
    print_report(report, summary)
    if report.failed or summary.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(daily)


def check_selection(
    choices: Choices, day: int | None, detector: str | None, optical_element: str | None
) -> None:
    """Refuse what selects nothing, ever: it would look as if all were done."""
    _check_name("--detector", detector, choices.detectors)
    _check_name("--optical-element", optical_element, choices.optical_elements)
    if day is not None and not MISSION[0] <= day < MISSION[1]:
        loaded = f"; exposures are loaded of {choices.first_day} to {choices.last_day}"
        raise click.BadParameter(
            f"{day} is no day of the mission: give MJD (TDB), from {MISSION[0]} to {MISSION[1] - 1}"
            + ("" if choices.first_day is None else loaded),
            param_hint="--day",
        )
    if choices.first_day is None:
        raise click.ClickException(
            "No exposure is loaded, so there is nothing to do. Load some first: roman-db load exposure FOLDER"
        )


def _check_name(option: str, name: str | None, registered: list[str] | None) -> None:
    """Refuse a detector or optical element that is none."""
    if name is not None and name not in (registered or []):
        known = ", ".join(registered or []) or "none"
        raise click.BadParameter(f"{name!r} is none of those registered: {known}", param_hint=option)


def print_report(report: ModeReport, summary: DailySummary) -> None:
    """Print what was done, what failed, and the quality against the limits."""
    from roman_db.console import tell_failed, tell_rejected

    click.echo(
        f"Run {report.load_run_id}: {len(report.succeeded)} units done, {len(report.failed)} failed; "
        f"{summary.n_block} blocks of {summary.n_exposure} exposures and {summary.n_point:,} points written."
    )
    print_metrics(summary.metrics)
    tell_failed(report)
    tell_rejected(summary.rejected)


def print_metrics(metrics: tuple[MetricSummary, ...]) -> None:
    """Print quality metrics with their verdicts, if there are any."""
    from rich.console import Console

    if metrics:
        Console().print(_metric_table(metrics))


def _metric_table(metrics: tuple[MetricSummary, ...]) -> Table:
    """Metrics, one a row."""
    from rich.table import Column, Table

    # A name that is cut off cannot be looked up; numbers may be folded.
    name = Column("quality metric", no_wrap=True, min_width=max(len(metric.metric) for metric in metrics))
    others = [Column(text, overflow="fold") for text in ("measured", "median", "least", "largest")]
    table = Table(name, *others, Column("verdict", overflow="fold", min_width=len("unlimited")))
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
    if metric.n_warning:
        return f"[yellow]{metric.n_warning} warnings[/yellow]"
    return "unlimited" if metric.n_unlimited == metric.n else "good"
