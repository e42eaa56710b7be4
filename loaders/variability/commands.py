"""What the commands share that work on the light curves of a season: options, and how they run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from roman_db.jobs import Mode

SURVEY = click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons count.")
SEASON = click.option(
    "--season",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Season that is worked on; 0: the whole survey.",
)
PHOTOMETRY_KIND = click.option(
    "--photometry-kind", default="psf", show_default=True, help="Kind of the light curves."
)
REDO = click.option("--redo", is_flag=True, help="Do again what is done.")


def season_options(command: Callable[..., None]) -> Callable[..., None]:
    """Survey, season and kind of the light curves, and whether to do again what is done."""
    for option in (REDO, PHOTOMETRY_KIND, SURVEY, SEASON):
        command = option(command)
    return command


def require_season(survey: str, season: int) -> None:
    """Refuse a season that the survey does not have, or whose number has the results of another survey.

    Raises
    ------
    click.UsageError
        Says why.
    """
    from loaders.variability.load import check_survey, season_days

    try:
        season_days(survey, season)
        check_survey(survey, season)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None


def run_on_season(
    mode: Mode, arguments: dict[str, Any], summary: Callable[[dict[str, Any]], Iterable[str]]
) -> None:
    """Run a mode on a season, and say what came of it; exit code 1 where a unit failed.

    Parameters
    ----------
    mode
        What to run.
    arguments
        Those of the mode; ``survey`` and ``season`` are among them.
    summary
        Lines to print, from the arguments, once the mode has run.

    Raises
    ------
    click.ClickException
        If there is no such season, or the mode refuses its arguments.
    """
    from loaders.external_light_curve.tasks import DIVIDE
    from loaders.rejection import Rejected
    from loaders.variability.tasks import TOUCHED
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    require_season(arguments["survey"], arguments["season"])
    kind, scope = TOUCHED
    try:
        with progress_bar() as step:
            report = run_mode(
                replace(mode, tasks=(DIVIDE, *mode.tasks), touches=kind, scope=scope), arguments, step
            )
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    for line in summary(arguments):
        click.echo(line)
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)
