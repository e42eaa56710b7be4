"""``roman-db load catalog``."""

from __future__ import annotations

from pathlib import Path

import click

from roman_db.option_types import FiniteRange


@click.command()
# What cannot be read is refused, and recorded, by the loader.
@click.argument("file", type=click.Path(readable=False, path_type=Path))
@click.option("--name", help="Name of the catalog. Default: as recognised, else the name of the file.")
@click.option(
    "--mapping",
    type=click.Path(readable=False, path_type=Path),
    help="YAML file that says which column is which.",
)
@click.option(
    "--match-radius",
    type=FiniteRange(0.001, 10),
    default=0.05,
    show_default=True,
    help="Arcsec within which a source is a known object.",
)
@click.option("--anywhere", is_flag=True, help="Load it though no exposure covers any of its sources.")
def catalog(file: Path, name: str | None, mapping: Path | None, match_radius: float, anywhere: bool) -> None:
    """Load an object catalog (Parquet, FITS, VOTable or ECSV) as a new version of the object catalog."""
    from loaders.catalog.load import CatalogOptions, load_catalog
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    migrate.ensure_current()
    options = CatalogOptions(name, mapping, match_radius, anywhere)
    with progress_bar() as step:
        counts, change = load_catalog(file, options, lambda done, total: step("rows", done, total))
    if change is not None and change.catalog_version_id is not None:
        click.echo(
            f"Catalog version {change.catalog_version_id}: {change.n_new} objects new, "
            f"{change.n_changed} changed, {change.n_unchanged} unchanged; "
            f"{change.n_flux} fluxes new or changed; {change.n_merged} duplicate rows merged."
        )
    finish(counts, "files" if change is None else "rows")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["load"]
    if isinstance(group, click.Group):
        group.add_command(catalog)
