"""``roman-db injection``: what was found of artificial sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from roman_db.option_types import FiniteRange

if TYPE_CHECKING:
    from loaders.recovery.match import MatchOptions

_FILE = click.Path(readable=False, path_type=Path)
radius_option = click.option(
    "--radius", type=FiniteRange(0.001, 10), default=0.11, show_default=True, help="Largest distance, arcsec."
)
flux_factor_option = click.option(
    "--flux-factor",
    type=FiniteRange(1.01, 100),
    default=2.0,
    show_default=True,
    help="Largest ratio, either way, of measured to injected flux.",
)


@click.group()
def injection() -> None:
    """What is found of artificial sources, and how complete and reliable that is."""


@injection.command()
@click.argument("name")
@radius_option
@flux_factor_option
def recover(name: str, radius: float, flux_factor: float) -> None:
    """Photometer the exposures of injection NAME at the places of its sources, with them and without."""
    from loaders.recovery.load import recover as recover_injection
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    migrate.ensure_current()
    options = match_options(radius, flux_factor)
    with saying_why(), progress_bar() as step:
        counts = recover_injection(name, options, lambda done, total: step("images", done, total))
    finish(counts, "images")


@injection.command()
@click.argument("name")
@click.option("--image", type=click.IntRange(0), default=0, show_default=True, help="Number of the image.")
@click.option("--before", type=_FILE, required=True, help="What was measured without the sources.")
@click.option("--after", type=_FILE, required=True, help="What was measured with them.")
@click.option("--product", default="detection", show_default=True, help="What measured the image.")
@radius_option
@flux_factor_option
def match(
    name: str, image: int, before: Path, after: Path, product: str, radius: float, flux_factor: float
) -> None:
    """Match lists of measured sources with the sources of injection NAME.

    The lists are tables with the columns ra, dec, flux_njy and flux_err.
    """
    from loaders.recovery.load import match_lists
    from loaders.recovery.measured_list import read_measured
    from roman_db import migrate
    from roman_db.console import finish

    migrate.ensure_current()
    with saying_why():
        lists = read_measured(after), read_measured(before)
        counts = match_lists(name, (product, image), lists, match_options(radius, flux_factor))
    finish(counts, "images")


@injection.command()
@click.argument("name")
@click.option("--product", default="forced_photometry", show_default=True, help="What measured the images.")
def report(name: str, product: str) -> None:
    """Print completeness and reliability of injection NAME by magnitude."""
    from loaders.recovery.load import efficiency
    from roman_db import migrate

    migrate.ensure_current()
    with saying_why():
        rows = efficiency(name, product)
    click.echo("magnitude      injected  found  completeness          spurious  reliability")
    for row in rows:
        click.echo(_line(row))


def _line(row: dict[str, Any]) -> str:
    """A bin of magnitudes as text."""
    found, missed = row["tp_count"], row["fn_count"]
    return (
        f"{row['magnitude_lower']:5.2f} - {row['magnitude_upper']:5.2f}  {found + missed:8d}  {found:5d}  "
        f"{_share(row, 'completeness'):20s}  {row['fp_count']:8d}  {_share(row, 'reliability')}"
    )


def _share(row: dict[str, Any], name: str) -> str:
    """A share with its limits; nothing where there is none."""
    if row[name] is None:
        return ""
    return f"{row[name]:.3f} ({row[f'{name}_lower']:.3f}-{row[f'{name}_upper']:.3f})"


def match_options(radius: float, flux_factor: float) -> MatchOptions:
    """What counts as the same."""
    from loaders.recovery.match import MatchOptions

    return MatchOptions(radius=radius, flux_factor=flux_factor)


@contextmanager
def saying_why() -> Iterator[None]:
    """Say in a line why something is refused."""
    from loaders.rejection import Rejected

    try:
        yield
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(injection)
