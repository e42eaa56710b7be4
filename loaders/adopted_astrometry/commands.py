"""``roman-db run astrometry``."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--season", default=0, show_default=True, type=click.IntRange(0), help="0: the whole survey.")
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons count.")
@click.option("--photometry-kind", default="psf", show_default=True, help="Kind of the light curves.")
@click.option("--redo", is_flag=True, help="Do again what is done.")
def astrometry(season: int, survey: str, photometry_kind: str, redo: bool) -> None:
    """Find positions, proper motions and parallaxes of all objects from their offsets in the exposures.

    Done for each piece of the sky if light curves of the season changed since. What is better than what the
    catalog has becomes a version of it. The modes season and survey do it, too. Exit code 1: a unit failed.
    """
    from loaders.adopted_astrometry.load import summary_of_adoption
    from loaders.adopted_astrometry.tasks import ASTROMETRY_MODE
    from loaders.astrometric_solution.load import summary_of_astrometry
    from loaders.variability.load import season_days
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    given = {"survey": survey, "season": season, "photometry_kind": photometry_kind, "redo": redo}
    try:
        season_days(survey, season)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None
    with progress_bar() as step:
        report = run_mode(ASTROMETRY_MODE, given, step)
    for summary in (summary_of_astrometry, summary_of_adoption):
        for line in summary(season, photometry_kind):
            click.echo(line)
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(astrometry)
