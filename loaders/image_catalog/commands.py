"""``roman-db run image-catalog``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from roman_db.option_types import MISSION


@click.command("image-catalog")
@click.option(
    "--day", type=int, help=f"Only this day (MJD TDB), from {MISSION[0]}. Default: all with work to do."
)
@click.option("--detector", help="Only this detector, such as WFI07.")
@click.option("--optical-element", help="Only this optical element, such as F158.")
@click.option(
    "--products",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the catalogs and segmentation maps. Default: products/image_catalog in ROMAN_DB_HOME.",
)
@click.option("--redo", is_flag=True, help="Do again what is done: new catalogs take the place of the old.")
def image_catalog(
    day: int | None, detector: str | None, optical_element: str | None, products: Path | None, redo: bool
) -> None:
    """Detect and measure the sources of single exposures, and those of the catalogs of mosaics in them.

    Sources become no new objects. What is done already is left alone, so it can be repeated at any time.
    Exit code 1: a unit failed or an exposure had to be refused.
    """
    from loaders.daily.commands import check_selection
    from loaders.daily.load import read_choices
    from loaders.image_catalog.load import default_folder, summary_of
    from loaders.image_catalog.tasks import IMAGE_CATALOGS, arguments
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed, tell_rejected
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_selection(read_choices(), day, detector, optical_element)
    folder = (products or default_folder()).absolute()
    with progress_bar() as step:
        report = run_mode(IMAGE_CATALOGS, arguments(folder, day, detector, optical_element, redo=redo), step)
    made = summary_of(report.load_run_id)
    click.echo(
        f"Run {report.load_run_id}: {made.n_catalog} catalogs written with {made.n_source} sources, of which "
        f"{made.n_matched} are objects; {made.n_forced} forced catalogs with {made.n_forced_source} sources."
    )
    if report.succeeded:
        click.echo(f"Products: {folder}")
    tell_failed(report)
    tell_rejected(made.rejected)
    if report.failed or made.rejected:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(image_catalog)
