"""``roman-db export hats``."""

from __future__ import annotations

from typing import Any

import click

from roman_db.option_types import FiniteRange

_KINDS = ("objects", "light-curves", "variability", "events")


@click.command("hats")
@click.argument("kind", type=click.Choice(_KINDS))
@click.option(
    "--to", "url", required=True, help="Folder of collections, or an address such as s3://bucket/folder."
)
@click.option(
    "--kind-of-photometry", "photometry_kind", default="psf", show_default=True, help="Of all but objects."
)
@click.option(
    "--margin",
    type=FiniteRange(0, 3600),
    help="Width of the margin around tiles, arcsec; 0 for none.  [default: 5; of light curves 0]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Most rows of a tile, of light curves most points.  [default: 200000; 15000000]",
)
@click.option("--anew", is_flag=True, help="Write all tiles, whether they have changed or not.")
def export_hats(kind: str, anew: bool, **options: Any) -> None:
    """Write a catalog as a HATS collection, which LSDB opens; a second time only what has changed.

    Killed or ended by an error, the same command goes on where it was. Readers see the catalog of before
    until the new one is complete.
    """
    from roman_db.archive.hats.export import Options, export
    from roman_db.console import progress_bar
    from roman_db.query.error import reported
    from roman_db.settings import settings

    with reported(), progress_bar() as step:
        done = export(Options(kind, workers=settings().workers, anew=anew, **options), step)
    said = f"{done.n_row} rows in {done.n_tile} tiles, {done.n_written} of them written"
    click.echo(f"{said}: {done.url}" if done.n_written else f"{said}: nothing has changed in {done.url}")
