"""``roman-db simulate-lightcurves``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import click


@click.command("simulate-lightcurves")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--number", type=click.IntRange(1), default=1000, show_default=True, help="Light curves to make."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=20270301,
    show_default=True,
    help="Another one makes other light curves.",
)
@click.option(
    "--kind", "kinds", multiple=True, help="Only this class; may be repeated. Default: a mix of all."
)
@click.option(
    "--seasons",
    type=click.IntRange(1, 6),
    default=6,
    show_default=True,
    help="How many of the six seasons, from the first.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PICTURE",
    help="Also draw a bright light curve of each class (PNG).",
)
@click.option("--name", default="lightcurves", show_default=True, help="Name of the scene in the database.")
def simulate_lightcurves(
    directory: Path,
    number: int,
    seed: int,
    kinds: tuple[str, ...],
    seasons: int,
    plot: Path | None,
    name: str,
) -> None:
    """Simulate light curves of the whole survey into DIRECTORY, with the truth in the database.

    No images are made. lightcurves.parquet has the points, truth.parquet the classes and parameters, and the
    part of each light curve: tune, on which a method may be tuned, or test, on which it is judged.
    """
    from loaders.light_curve_simulation.load import POINTS_FILE, TRUTH_FILE, simulate_light_curves
    from loaders.light_curve_simulation.schedule import SEASONS, Cadence
    from loaders.light_curve_simulation.simulate import Recipe
    from roman_db import migrate
    from roman_db.console import progress_bar

    cadence = Cadence(seasons=SEASONS[:seasons])
    try:
        recipe = Recipe(seed, cadence=cadence)
        if kinds:
            recipe = replace(recipe, shares=dict.fromkeys(kinds, 1.0))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--kind") from error
    migrate.ensure_current()
    with progress_bar() as step:
        truth = simulate_light_curves(
            recipe, number, name, directory, lambda done, total: step("light curves", done, total)
        )
    if plot is not None:
        from loaders.light_curve_simulation.picture import draw_classes

        draw_classes(recipe, plot)
    parts = Counter(truth["split"].to_pylist())
    for kind, count in sorted(Counter(truth["kind"].to_pylist()).items()):
        click.echo(f"{kind}: {count}")
    click.echo(f"{number} light curves, {parts['tune']} to tune on and {parts['test']} to test with,")
    click.echo(f"in {directory / POINTS_FILE}, their truth in {directory / TRUTH_FILE}.")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(simulate_lightcurves)
