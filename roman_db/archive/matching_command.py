"""``roman-db crossmatch``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from roman_db.option_types import FiniteRange


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
