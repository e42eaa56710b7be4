"""``roman-db run static-catalog``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("static-catalog")
@click.option("--cell", help="Only this sky cell. Default: all with work to do.")
@click.option(
    "--products",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the catalogs and segmentation maps. Default: products/static_catalog in ROMAN_DB_HOME.",
)
@click.option("--redo", is_flag=True, help="Do again what is done: new catalogs take the place of the old.")
def static_catalog(cell: str | None, products: Path | None, redo: bool) -> None:
    """Detect and measure the sources of all mosaics that are new or have changed.

    Mosaics of one set and one sky cell are measured together. Sources that are no known object become new
    ones. What is done already is left alone, so it can be repeated at any time. Exit code 1: a set failed.
    """
    from loaders.static_catalog.load import default_folder, summary_of
    from loaders.static_catalog.tasks import STATIC_CATALOG
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_cell(cell)
    folder = (products or default_folder()).absolute()
    with progress_bar() as step:
        report = run_mode(STATIC_CATALOG, {"cell": cell, "redo": redo, "products": str(folder)}, step)
    made = summary_of(report.load_run_id)
    click.echo(
        f"Run {report.load_run_id}: {made.n_catalog} catalogs of {made.n_mosaic} mosaics written; "
        f"{made.n_source} sources: {made.n_matched} were known objects, {made.n_new} are new ones."
    )
    if report.succeeded:
        click.echo(f"Products: {folder}")
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


def check_cell(cell: str | None) -> None:
    """Refuse a sky cell that has no mosaics: it would look as if all were done."""
    from loaders.static_catalog.load import sky_cells

    if cell is not None and cell not in (known := sky_cells()):
        those = ", ".join(known) or "none"
        raise click.BadParameter(f"{cell!r} is none of those with mosaics: {those}", param_hint="--cell")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(static_catalog)
