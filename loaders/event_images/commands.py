"""``roman-db run event-images`` and ``roman-db export event-images``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_SEASON = click.option(
    "--season",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Season whose exposures are taken; 0: all.",
)


@click.command("event-images")
@_SEASON
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons count.")
@click.option("--detector", help="Only stars on this detector, such as WFI01.")
@click.option(
    "--number", type=click.IntRange(0), default=1_000, show_default=True, help="Events of single lenses."
)
@click.option("--planets", type=click.IntRange(0), default=0, show_default=True, help="Events with a planet.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the injection."
)
@click.option("--models", is_flag=True, help="Take the injection whose events have models.")
@click.option("--redo", is_flag=True, help="Do again what is done.")
def event_images(  # noqa: PLR0913  (options of a command)
    season: int,
    survey: str,
    detector: str | None,
    number: int,
    planets: int,
    seed: int,
    models: bool,
    redo: bool,
) -> None:
    """Put the events of run event-efficiency into images, and compare what is found at both levels.

    Exposures are read, never written. The first --number events that run event-efficiency injected with this
    season and seed are taken. Days that are done are not done again. Exit code 1: a unit failed.
    """
    from loaders.event_efficiency.draw import PLANET, POINT_LENS
    from loaders.event_images.load import summary_of_images
    from loaders.event_images.tasks import EVENT_IMAGES
    from loaders.photometry.load import EVERY_DAY
    from loaders.rejection import Rejected
    from loaders.variability.load import season_days
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    which = {"survey": survey, "season": season, "photometry_kind": EVERY_DAY, "seed": seed}
    asked = {"numbers": {POINT_LENS: number, PLANET: planets}, "modelled": models, "redo": redo}
    arguments = which | asked | {"detector": detector}
    migrate.ensure_current()
    try:
        season_days(survey, season)
        with progress_bar() as step:
            report = run_mode(EVENT_IMAGES, arguments, step)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    for line in summary_of_images(arguments):
        click.echo(line)
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


@click.command("event-images")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@_SEASON
def export_images(path: Path, season: int) -> None:
    """Draw events in images against the same in light curves into PATH (.png)."""
    from loaders.event_images.load import read_pairs
    from loaders.event_images.picture import draw_pairs
    from loaders.photometry.load import EVERY_DAY
    from loaders.rejection import Rejected
    from roman_db import migrate

    if path.suffix != ".png":
        raise click.BadParameter(f"{path.name!r} does not end in .png", param_hint="PATH")
    migrate.ensure_current()
    try:
        pairs = read_pairs(season, EVERY_DAY)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    draw_pairs(pairs, f"Events of {f'season {season}' if season else 'all seasons'} at both levels", path)
    click.echo(f"{len(pairs)} events drawn: {path}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    for name, command in (("run", event_images), ("export", export_images)):
        group = root.commands[name]
        if isinstance(group, click.Group):
            group.add_command(command)
