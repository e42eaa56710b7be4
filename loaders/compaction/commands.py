"""``roman-db run compact`` and ``roman-db run seal``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from roman_db.option_types import DAY

if TYPE_CHECKING:
    from roman_db.jobs import ModeReport


@click.command()
@click.option("--before", type=DAY, required=True, help="Only windows that end before this day (MJD TDB).")
def compact(before: int) -> None:
    """Merge the short blocks of past windows into long ones; readers notice nothing."""
    from loaders.compaction.tasks import compact_all
    from loaders.photometry.flags import EXCLUDING_FLAGS
    from roman_db import migrate
    from roman_db.console import progress_bar

    migrate.ensure_current()
    with progress_bar() as step:
        report = compact_all(before, EXCLUDING_FLAGS, step)
    click.echo(f"{len(report.succeeded)} windows compacted.")
    _end_with(report)


@click.command()
@click.argument("survey")
@click.argument("season", type=int)
def seal(survey: str, season: int) -> None:
    """Make one partition of a finished SEASON of a SURVEY."""
    from loaders.compaction.tasks import seal_season
    from loaders.photometry.flags import EXCLUDING_FLAGS
    from roman_db import migrate
    from roman_db.console import progress_bar

    migrate.ensure_current()
    with progress_bar() as step:
        report = seal_season(survey, season, EXCLUDING_FLAGS, step)
    if report is None:
        raise click.ClickException(f"season {season} of survey {survey} has no light curves")
    _end_with(report)
    click.echo(f"Season {season} of {survey} is sealed.")


def _end_with(report: ModeReport) -> None:
    """Say which windows failed and why, and end with 1 if any did."""
    from roman_db.console import EXIT_REJECTED, tell_failed

    if report.failed:
        tell_failed(report)
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(compact)
        group.add_command(seal)
