"""``roman-db run eight-day`` and ``roman-db run first-30-days``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from roman_db.jobs import Mode


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that both modes have."""
    for option in (
        click.option("--redo", is_flag=True, help="Make the images again that are made."),
        click.option("--optical-element", help="Only this optical element, such as F146."),
        click.option("--detector", help="Only this detector, such as WFI07."),
    ):
        command = option(command)
    return command


@click.command("eight-day")
@_options
@click.option("--unfinished", is_flag=True, help="Also spans of days that have not ended.")
def eight_day(detector: str | None, optical_element: str | None, redo: bool, unfinished: bool) -> None:
    """Make the references of the spans that have ended, and find what is new on them.

    A span is 8 days of the elements that are observed at least hourly, and a season of the others. New
    objects are photometered in all exposures. Exit code 1: a unit failed or an exposure had to be refused.
    """
    from loaders.eight_day.tasks import EIGHT_DAY, arguments

    _run(EIGHT_DAY, arguments(detector, optical_element, unfinished=unfinished, redo=redo))


@click.command("first-30-days")
@_options
def first_30_days(detector: str | None, optical_element: str | None, redo: bool) -> None:
    """Begin a season from nothing but exposures: references, PSFs, a catalog, and all light curves.

    A catalog that is loaded before assists: its objects keep their identifiers and motions. Exit code 1: a
    unit failed or an exposure had to be refused.
    """
    from loaders.eight_day.tasks import FIRST_30_DAYS, arguments

    _run(FIRST_30_DAYS, arguments(detector, optical_element, unfinished=True, redo=redo))


def _run(mode: Mode, given: dict[str, Any]) -> None:
    """Run a mode and report."""
    from loaders.daily.commands import check_selection, print_report
    from loaders.daily.load import read_choices, summarise_run
    from loaders.eight_day.load import summarise_references
    from loaders.report.commands import write_pages
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_selection(read_choices(), None, given["detector"], given["optical_element"])
    with progress_bar() as step:
        report = run_mode(mode, given, step)
    for line in summarise_references(report.load_run_id):
        click.echo(line)
    summary = summarise_run(report.load_run_id)
    print_report(report, summary)
    write_pages(report.load_run_id)
    if report.failed or summary.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(eight_day)
        group.add_command(first_30_days)
