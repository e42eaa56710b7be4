"""``roman-db inject``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from roman_db.option_types import FiniteRange

if TYPE_CHECKING:
    from loaders.injection.given import Layout

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
# What cannot be read is refused, and recorded, by the loader.
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path)
)
@click.option("--catalog", type=click.Path(readable=False, path_type=Path), help="Table of the sources.")
@click.option("--random", "number", type=click.IntRange(1), metavar="N", help="N sources at random places.")
@click.option(
    "--grid", "spacing", type=FiniteRange(1, 4088), metavar="PIXELS", help="Sources on a square grid."
)
@click.option("--magnitudes", type=(float, float), metavar="A B", help="AB magnitudes, uniform from A to B.")
@click.option(
    "--galaxies", type=FiniteRange(0, 1), default=0.0, show_default=True, help="Fraction that are galaxies."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the random numbers.")
@click.option("--output", type=_FOLDER, required=True, help="Folder of the images with the sources.")
@click.option("--name", default="injection", show_default=True, help="Name of the injection in the database.")
def inject(files: tuple[Path, ...], seed: int, output: Path, name: str, **layout: object) -> None:
    """Add artificial stars and galaxies to exposures and mosaics, and store what was added.

    A folder stands for all *_cal.asdf files in it. The same sources go into all FILEs, which are left as they
    are. Those that are not from a table lie on the pixels of the first FILE.
    """
    from loaders.injection.load import InjectionOptions, inject_files
    from loaders.rejection import Rejected
    from loaders.wfi.load import expand
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    chosen = _layout(**layout)  # type: ignore[arg-type]
    migrate.ensure_current()
    options = InjectionOptions(name, chosen, seed, output)
    try:
        with progress_bar() as step:
            counts = inject_files(expand(files), options, lambda done, total: step("images", done, total))
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    finish(counts, "images and sources")


def _layout(
    catalog: Path | None,
    number: int | None,
    spacing: float | None,
    magnitudes: tuple[float, float] | None,
    galaxies: float,
) -> Layout:
    """Where the sources come from, as the options say."""
    from loaders.injection.given import Layout
    from loaders.injection.layout import Population

    if sum(one is not None for one in (catalog, number, spacing)) != 1:
        raise click.UsageError("Give one of --catalog, --random and --grid.")
    if (catalog is None) == (magnitudes is None):
        raise click.UsageError("Give --magnitudes with --random and --grid, and with these alone.")
    try:
        population = None if magnitudes is None else Population(magnitudes, galaxies)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    return Layout(catalog, number, spacing, population)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(inject)
