"""``roman-db load lightcurves``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from roman_db.option_types import FiniteRange


@click.command()
# What cannot be read is refused, and recorded, by the loader.
@click.argument("files", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--layout",
    "layout_file",
    type=click.Path(readable=False, path_type=Path),
    help="YAML file of what the other options say.",
)
@click.option("--time", metavar="COLUMN", help="Column of times.")
@click.option("--value", metavar="COLUMN", help="Column of magnitudes or flux densities.")
@click.option("--error", metavar="COLUMN", help="Column of their standard errors.")
@click.option("--band", metavar="TEXT", help="Column of bands, or the band of all rows.")
@click.option("--object", metavar="TEXT", help="Column of names, or the name. Default: that of the file.")
@click.option("--ra", metavar="TEXT", help="Column of right ascensions, or degrees ICRS.")
@click.option("--dec", metavar="TEXT", help="Column of declinations, or degrees ICRS.")
@click.option("--flags", metavar="COLUMN", help="Column of photometry flags of this database.")
@click.option("--time-system", metavar="SYSTEM", help="BJD_TDB, HJD_UTC, JD_UTC, MJD_UTC, ...")
@click.option("--time-offset", type=float, help="Days that were taken off the times, such as 2450000.")
@click.option("--system", metavar="SYSTEM", help="flux, AB or Vega.")
@click.option("--unit", help="Unit of flux densities, where the file states none.")
@click.option("--zero-point", type=float, metavar="JY", help="Flux density of Vega magnitude 0.")
@click.option(
    "--file-name", metavar="TEMPLATE", help="What names of files say, such as 'phot.{object}.{band}.dat'."
)
@click.option("--places", metavar="FILE", help="Table of places: columns of object, ra and dec.")
@click.option(
    "--name", default="external", show_default=True, help="Data set, by which its objects' names are kept."
)
@click.option(
    "--match-radius",
    type=FiniteRange(0.001, 10),
    default=0.3,
    show_default=True,
    help="Arcsec within which an object is a known one.",
)
def lightcurves(
    files: tuple[Path, ...], layout_file: Path | None, name: str, match_radius: float, **given: Any
) -> None:
    """Load light curves that others measured: tables in text, ECSV, Parquet, VOTable or FITS.

    A file has one object or many, a row a point. Columns with usual names are found; what neither their names
    nor the file state has to be said: bands, places, and of fluxes in text the unit.
    """
    from loaders.external_light_curve.layout import Layout, layout_of, read_layout
    from loaders.external_light_curve.load import LoadOptions, load_light_curves
    from loaders.external_light_curve.places import read_places
    from loaders.rejection import Rejected
    from roman_db import migrate
    from roman_db.console import finish, progress_bar
    from roman_db.load_run import Counts

    stated = {key: value for key, value in given.items() if value is not None}
    try:
        base = Layout() if layout_file is None else read_layout(layout_file)
        layout = layout_of(vars(base) | stated, "options")
        places = read_places(layout.places) if layout.places else {}
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    migrate.ensure_current()
    options = LoadOptions(layout, name, match_radius, places)
    total, runs = Counts(0, 0, 0, 0), []
    with progress_bar() as step:
        for done, path in enumerate(files, 1):
            counts, load_run_id = load_light_curves(path, options)
            runs.append(load_run_id)
            total = Counts(*(a + b for a, b in zip(_numbers(total), _numbers(counts), strict=True)))
            step("files", done, len(files))
    finish(total, "rows", runs)


def _numbers(counts: Any) -> tuple[int, ...]:
    """Counts in their order."""
    return counts.read, counts.loaded, counts.unchanged, counts.rejected


@click.command()
def divide() -> None:
    """Cut stored light curves of others where seasons meet.

    Files are loaded so; this is for what an earlier release loaded, and for seasons added to roman.season
    later. Modes that work on seasons do it by themselves.
    """
    from loaders.external_light_curve.tasks import DIVIDE_MODE
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    with progress_bar() as step:
        report = run_mode(DIVIDE_MODE, {}, step)
    click.echo(f"{len(report.succeeded)} units divided.")
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    for name, command in (("load", lightcurves), ("run", divide)):
        group = root.commands[name]
        if isinstance(group, click.Group):
            group.add_command(command)
