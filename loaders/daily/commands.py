"""``roman-db run daily``."""

from __future__ import annotations

import click

from roman_db.console import progress_bar

#: Days before and after any observation.
_FIRST, _LAST = 0, 1_000_000


@click.command()
@click.option("--day", type=int, help="Only this day (MJD TDB). Default: all days with work to do.")
@click.option("--detector", help="Only this detector, such as WFI07.")
@click.option("--optical-element", help="Only this optical element, such as F146.")
@click.option("--redo", is_flag=True, help="Do again what is done: new blocks take the place of the old.")
def daily(day: int | None, detector: str | None, optical_element: str | None, redo: bool) -> None:
    """Update PSFs, photometer all new exposures and write the light curves.

    What is done already is left alone, so it can be repeated at any time. Exit code 1: a unit failed.
    """
    from loaders.daily.load import DAILY, summarise_run
    from loaders.daily.report import print_report
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
    print_report(report, summarise_run(report.load_run_id))
    if report.failed:
        raise click.exceptions.Exit(1)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(daily)
