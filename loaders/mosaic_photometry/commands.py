"""``roman-db run mosaic-photometry``."""

from __future__ import annotations

import sys

import click


@click.command("mosaic-photometry")
@click.option("--cell", help="Only this sky cell. Default: all with work to do.")
@click.option("--optical-element", help="Only this optical element, such as F158.")
@click.option("--redo", is_flag=True, help="Do again what is done: new blocks take the place of the old.")
def mosaic_photometry(cell: str | None, optical_element: str | None, redo: bool) -> None:
    """Photometer all catalogued objects in all new mosaics, and write the light curves.

    PSFs are fitted at the catalogued places (light curves of the kind psf_mosaic), and the light in circles
    of 0.4 arcsec is summed (aperture_mosaic). A mosaic is done again when the catalog has new objects on it.
    What is done already is left alone, so it can be repeated at any time. Exit code 1: a mosaic failed.
    """
    from loaders.daily.load import read_choices
    from loaders.mosaic_photometry.load import summary_of
    from loaders.mosaic_photometry.tasks import MOSAIC_PHOTOMETRY
    from loaders.static_catalog.commands import check_cell
    from roman_db import migrate
    from roman_db.console import EXIT_REJECTED, progress_bar, tell_failed
    from roman_db.jobs import run_mode

    migrate.ensure_current()
    check_cell(cell)
    elements = read_choices().optical_elements or []
    if optical_element is not None and optical_element not in elements:
        known = ", ".join(elements)
        what = f"{optical_element!r} is none of those registered: {known}"
        raise click.BadParameter(what, param_hint="--optical-element")
    given = {"cell": cell, "optical_element": optical_element, "redo": redo}
    with progress_bar() as step:
        report = run_mode(MOSAIC_PHOTOMETRY, given, step)
    made = summary_of(report.load_run_id)
    click.echo(
        f"Run {report.load_run_id}: {made.n_mosaic} mosaics photometered; {made.n_block} blocks and "
        f"{made.n_point:,} points written."
    )
    tell_failed(report)
    if report.failed:
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["run"]
    if isinstance(group, click.Group):
        group.add_command(mosaic_photometry)
