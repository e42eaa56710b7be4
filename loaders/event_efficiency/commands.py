"""``roman-db run event-efficiency`` and ``roman-db export event-efficiency``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_KIND = click.option("--photometry-kind", default="psf", show_default=True, help="Kind of the light curves.")
_SEASON = click.option(
    "--season",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Season whose light curves are taken; 0: all.",
)


@click.command("event-efficiency")
@_SEASON
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons count.")
@_KIND
@click.option(
    "--number", type=click.IntRange(0), default=20_000, show_default=True, help="Events of single lenses."
)
@click.option(
    "--planets",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Events with a planet, each of which takes minutes where it is found.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the random numbers."
)
@click.option("--models", is_flag=True, help="Fit models to events of single lenses, too.")
@click.option("--redo", is_flag=True, help="Do again what is done.")
def event_efficiency(  # noqa: PLR0913  (options of a command)
    season: int,
    survey: str,
    photometry_kind: str,
    number: int,
    planets: int,
    seed: int,
    models: bool,
    redo: bool,
) -> None:
    """Inject events into stored light curves of constant stars, and count how many are found.

    The light curves must have been described: roman-db run season N, or survey. Trials that are done are not
    done again; more of them may be asked for later. Exit code 1: a unit failed.
    """
    from loaders.event_efficiency.draw import PLANET, POINT_LENS
    from loaders.event_efficiency.load import summary_of_efficiency
    from loaders.event_efficiency.tasks import EVENT_EFFICIENCY
    from loaders.rejection import Rejected
    from loaders.variability.load import season_days
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    arguments = {"survey": survey, "season": season, "photometry_kind": photometry_kind, "seed": seed}
    asked = {"numbers": {POINT_LENS: number, PLANET: planets}, "modelled": models, "redo": redo}
    migrate.ensure_current()
    try:
        season_days(survey, season)
        with progress_bar() as step:
            report = run_mode(EVENT_EFFICIENCY, arguments | asked, step)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    for line in summary_of_efficiency(arguments | asked):
        click.echo(line)
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


@click.command("event-efficiency")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@_SEASON
@_KIND
def export_efficiency(path: Path, season: int, photometry_kind: str) -> None:
    """Draw the completeness of the search for events into PATH (.png): Einstein time against magnitude."""
    from loaders.event_efficiency.load import read_cells
    from loaders.event_efficiency.picture import draw_completeness
    from loaders.rejection import Rejected
    from roman_db import migrate

    if path.suffix != ".png":
        raise click.BadParameter(f"{path.name!r} does not end in .png", param_hint="PATH")
    migrate.ensure_current()
    try:
        cells = read_cells(season, photometry_kind)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    title = f"Events found in {f'season {season}' if season else 'all seasons'}, {photometry_kind}"
    draw_completeness(cells, title, path)
    click.echo(f"{len(cells)} cells drawn: {path}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    for name, command in (("run", event_efficiency), ("export", export_efficiency)):
        group = root.commands[name]
        if isinstance(group, click.Group):
            group.add_command(command)
