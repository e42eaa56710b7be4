"""``roman-db export product``, ``roman-db export hats`` and ``roman-db crossmatch``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from roman_db.archive.hats.commands import export_hats
from roman_db.option_types import FiniteRange

if TYPE_CHECKING:
    from roman_db.archive.export import Written

_FORMATS = ("asdf", "parquet")


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    group = root.commands["export"]
    if isinstance(group, click.Group):
        group.add_command(export_product)
        group.add_command(export_hats)
    root.add_command(crossmatch_command)


@click.command("product")
@click.argument("name")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option(
    "--season", type=click.IntRange(0, 99), help="Season, of products of the Bulge; 0 for all there is."
)
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons are meant.")
@click.option(
    "--set", "set_name", help="Set of mosaics or name of an exposure, of source catalogs; default: all."
)
@click.option("--field", help="Name of the field, of products of one detector.")
@click.option("--detector", help="Detector, such as WFI07, of products of one detector.")
@click.option("--element", help="Optical element, such as F146, of products of one detector.")
@click.option(
    "--medium",
    type=click.Choice(["images", "lightcurve", "rhie"]),
    help="What was injected into, of the detection efficiency.",
)
@click.option("--sequence", type=click.IntRange(1, 99), help="Period of eight days, of periodic products.")
@click.option("--program", type=click.IntRange(1, 99999), help="Program, of spectra; default: all.")
@click.option(
    "--exposure", help="Name of a dispersed exposure, as of its file without _cal.asdf; default: all."
)
@click.option("--file-number", type=click.IntRange(1), help="File of a catalog of spectra; default: all.")
@click.option("--program-complete", is_flag=True, help="The program of the spectra is finished.")
@click.option("--kind", default="psf", show_default=True, help="Kind of photometry.")
@click.option(
    "--processing-id",
    default="p",
    show_default=True,
    help="p for a prompt product, r and two digits for one of a data release.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(_FORMATS),
    multiple=True,
    help="Default: all that the product is written in.",
)
def export_product(
    name: str, folder: Path, formats: tuple[str, ...], set_name: str | None, **scope: Any
) -> None:
    """Write the product NAME for the archive, by its schema in RAD.

    One that the schema or the types of the archive's columns refuse is not written; every reason is told.
    """
    from roman_db.query.error import reported

    with reported():
        for written in _written(name, folder, formats, set_name, scope):
            what = "" if written.n_row is None else f"{written.n_row} rows "
            click.echo(f"{what}written to {written.path}")


@click.command("crossmatch")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--radius", type=FiniteRange(0.001, 3600), default=1.0, show_default=True, help="Arcsec.")
@click.option("--nearest", is_flag=True, help="Of each row the nearest object alone.")
@click.option("--ra", default="ra", show_default=True, help="Column with right ascensions, deg ICRS.")
@click.option("--dec", default="dec", show_default=True, help="Column with declinations, deg ICRS.")
def crossmatch_command(source: Path, target: Path, **match: Any) -> None:
    """Write the rows of the Parquet file SOURCE with the objects near them to TARGET, one row a pair."""
    from roman_db.archive.matching import Match, match_file
    from roman_db.console import progress_bar
    from roman_db.query.error import reported

    with reported(), progress_bar() as step:
        n_row, n_pair = match_file(source, target, Match(**match), step)
    click.echo(f"{n_pair} pairs of {n_row} rows with objects: {target}")


def _written(
    name: str, folder: Path, formats: tuple[str, ...], set_name: str | None, scope: dict[str, Any]
) -> Iterator[Written]:
    """Write a product of either kind, and give its files."""
    from roman_db.archive.export import export_parts
    from roman_db.archive.product import PRODUCTS
    from roman_db.archive.refusal import ProductRefused
    from roman_db.archive.request import Scope
    from roman_db.archive.stored_export import export_stored
    from roman_db.archive.stored_product import STORED_PRODUCTS, check_scope
    from roman_db.query.error import QueryError

    if name in STORED_PRODUCTS:
        stored = STORED_PRODUCTS[name]
        check_scope(stored, Scope(**scope))
        yield from export_stored(stored, set_name, folder, formats or stored.formats)
        return
    if name not in PRODUCTS:
        raise QueryError(f"there is no product {name!r}: {', '.join([*PRODUCTS, *STORED_PRODUCTS])}")
    product = PRODUCTS[name]
    if set_name is not None:
        raise ProductRefused(name, ["it is of no set of mosaics: leave out --set"])
    yield from export_parts(product, Scope(**scope), folder, formats or product.formats)
