"""``roman-db run extinction`` and ``roman-db export extinction-map``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--redo", is_flag=True, help="Map again what is mapped.")
def extinction(redo: bool) -> None:
    """Map the extinction towards the bulge from its red clump stars.

    Done for each piece of the sky if objects were catalogued since, or the file named by
    ROMAN_DB_EXTINCTION_CONFIGURATION has changed. The modes season and survey do it, too.
    Exit code 1: a unit failed.
    """
    from loaders.extinction.load import summary_of_extinction
    from loaders.extinction.tasks import EXTINCTION_MODE
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    with progress_bar() as step:
        report = run_mode(EXTINCTION_MODE, {"redo": redo}, step)
    click.echo(summary_of_extinction())
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


@click.command("extinction-map")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def extinction_map(path: Path) -> None:
    """Write the map of extinction into PATH: FITS (.fits), ASDF (.asdf), or a picture (.png).

    A FITS file has the cells as a multi-order map (NUNIQ), and then as HEALPix pixels of one order.
    """
    from loaders.extinction.load import WRITERS, export_map
    from roman_db import migrate

    if path.suffix not in WRITERS:
        what = f"{path.name!r} does not end in {', '.join(WRITERS)}"
        raise click.BadParameter(what, param_hint="PATH")
    migrate.ensure_current()
    number = export_map(path)
    click.echo(f"{number} cells written: {path}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    for name, command in (("run", extinction), ("export", extinction_map)):
        group = root.commands[name]
        if isinstance(group, click.Group):
            group.add_command(command)
