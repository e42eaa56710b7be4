"""``roman-db run event-efficiency`` and ``roman-db export event-efficiency``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loaders.variability.commands import PHOTOMETRY_KIND, REDO, SEASON, SURVEY, run_on_season


@click.command("event-efficiency")
@SEASON
@SURVEY
@PHOTOMETRY_KIND
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
@REDO
def event_efficiency(number: int, planets: int, models: bool, **given: Any) -> None:
    """Inject events into stored light curves of constant stars, and count how many are found.

    The light curves must have been described: roman-db run season N, or survey. Trials that are done are not
    done again; more of them may be asked for later. Exit code 1: a unit failed.
    """
    from loaders.event_efficiency.draw import PLANET, POINT_LENS
    from loaders.event_efficiency.load import summary_of_efficiency
    from loaders.event_efficiency.tasks import EVENT_EFFICIENCY

    asked = {"numbers": {POINT_LENS: number, PLANET: planets}, "modelled": models}
    run_on_season(EVENT_EFFICIENCY, given | asked, summary_of_efficiency)


@click.command("event-efficiency")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@SEASON
@PHOTOMETRY_KIND
@click.option(
    "--picture",
    type=click.Choice(["magnitude", "u_0", "planets", "fields", "reliability", "sky"]),
    default="magnitude",
    show_default=True,
    help="Completeness by Einstein time and magnitude or u_0, of planets by s and q, or by field and "
    "magnitude; reliability by field and magnitude; or both on the sky.",
)
def export_efficiency(path: Path, season: int, photometry_kind: str, picture: str) -> None:
    """Draw how many events the search finds, and how much of what it finds is real, into PATH (.png)."""
    from loaders.event_efficiency.cells import VIEWS
    from loaders.event_efficiency.load import read_cells
    from loaders.event_efficiency.picture import write_figure
    from loaders.rejection import Rejected
    from roman_db import migrate

    if path.suffix != ".png":
        raise click.BadParameter(f"{path.name!r} does not end in .png", param_hint="PATH")
    migrate.ensure_current()
    try:
        cells = read_cells(season, photometry_kind, picture)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    view = VIEWS[picture]
    title = f"{view.title}, {f'season {season}' if season else 'all seasons'}, {photometry_kind}"
    write_figure(view.figure(cells, title), path)
    click.echo(f"{len(cells)} cells drawn: {path}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    for name, command in (("run", event_efficiency), ("export", export_efficiency)):
        group = root.commands[name]
        if isinstance(group, click.Group):
            group.add_command(command)
