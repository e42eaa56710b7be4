"""``roman-db run season`` and ``roman-db run survey``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from roman_db.jobs import Mode


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that both modes have."""
    for option in (
        click.option("--redo", is_flag=True, help="Do again what is done."),
        click.option("--photometry-kind", default="psf", show_default=True, help="Kind of the light curves."),
        click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons count."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("number", type=click.IntRange(1))
@_options
def season(number: int, survey: str, photometry_kind: str, redo: bool) -> None:
    """Make the variability catalog of season NUMBER; find its periods, trends, events, and what lenses are.

    Positions, proper motions and parallaxes are fitted to all objects.

    The map of extinction is made anew if the catalog of objects has changed.
    Only ranges of objects are done whose light curves changed since. Writes pages with pictures of the season
    and of each event. Exit code 1: a unit failed.
    """
    from loaders.season.tasks import SEASON

    _run(SEASON, (survey, number, photometry_kind), redo)


@click.command()
@_options
def survey(survey: str, photometry_kind: str, redo: bool) -> None:
    """The same for all light curves there are: season 0 of roman.variability and roman.event."""
    from loaders.season.tasks import SURVEY

    _run(SURVEY, (survey, 0, photometry_kind), redo)


def _run(mode: Mode, which: tuple[str, int, str], redo: bool) -> None:
    """Run a mode and report."""
    from loaders.astrometric_solution.load import summary_of_astrometry
    from loaders.daily.commands import print_metrics
    from loaders.daily.load import summarise_run
    from loaders.extinction.load import summary_of_extinction
    from loaders.lens_physics.load import summary_of_physics
    from loaders.microlensing.load import summary_of_events
    from loaders.report.commands import write_pages
    from loaders.season.tasks import arguments
    from loaders.variability.load import season_days, summary_of
    from loaders.variable_object.load import summary_of_objects
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    try:
        season_days(*which[:2])
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None
    with progress_bar() as step:
        report = run_mode(mode, arguments(*which, redo=redo), step)
    for summary in (
        summary_of,
        summary_of_objects,
        summary_of_astrometry,
        summary_of_events,
        summary_of_physics,
    ):
        for line in summary(*which[1:]):
            click.echo(line)
    click.echo(summary_of_extinction())
    print_metrics(summarise_run(report.load_run_id).metrics)
    tell_failed(report)
    write_pages(report.load_run_id)
    if report.failed:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(season)
        group.add_command(survey)
