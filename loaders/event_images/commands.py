"""``roman-db run event-images`` and ``roman-db export event-images``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loaders.variability.commands import REDO, SEASON, SURVEY, run_on_season


@click.command("event-images")
@SEASON
@SURVEY
@click.option("--detector", help="Only stars on this detector, such as WFI01.")
@click.option(
    "--number", type=click.IntRange(0), default=1_000, show_default=True, help="Events of single lenses."
)
@click.option("--planets", type=click.IntRange(0), default=0, show_default=True, help="Events with a planet.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of the injection."
)
@click.option("--models", is_flag=True, help="Take the injection whose events have models.")
@REDO
def event_images(number: int, planets: int, models: bool, **given: Any) -> None:
    """Put the events of run event-efficiency into images, and compare what is found at both levels.

    Exposures are read, never written. The first --number events that run event-efficiency injected with this
    season and seed are taken. Days that are done are not done again. Exit code 1: a unit failed.
    """
    from loaders.event_efficiency.draw import PLANET, POINT_LENS
    from loaders.event_images.load import summary_of_images
    from loaders.event_images.tasks import EVENT_IMAGES
    from loaders.photometry.load import EVERY_DAY

    asked = {"numbers": {POINT_LENS: number, PLANET: planets}, "modelled": models}
    run_on_season(EVENT_IMAGES, given | asked | {"photometry_kind": EVERY_DAY}, summary_of_images)


@click.command("event-images")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@SEASON
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
