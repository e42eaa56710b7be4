"""``roman-db simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from roman_db.option_types import FiniteRange

if TYPE_CHECKING:
    from loaders.simulation.parameters import SimulationParameters


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--parameters", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML file.")
@click.option(
    "--survey",
    metavar="NAME",
    help="Take the cadences of this survey from the database, such as gbtds.",
)
@click.option("--name", default="simulation", show_default=True, help="Name of the scene in the database.")
@click.option(
    "--mosaic",
    type=FiniteRange(0.01, 1),
    metavar="SCALE",
    help="Also Level-3 mosaics of SCALE arcsec pixels.",
)
@click.option("--show", is_flag=True, help="Print all parameters with their defaults, and do nothing.")
def simulate(
    directory: Path, parameters: Path | None, survey: str | None, name: str, mosaic: float | None, show: bool
) -> None:
    """Simulate Level-2 exposures of a crowded field into DIRECTORY, with the truth in the database.

    Beside the exposures lie truth.parquet and catalog.ecsv, a catalog with errors to begin with.
    """
    from loaders.rejection import Rejected
    from loaders.simulation.load import simulate as run_simulation
    from loaders.simulation.load import simulate_mosaics, with_survey
    from loaders.simulation.parameters import default_text
    from roman_db import migrate
    from roman_db.console import progress_bar

    if show:
        click.echo(default_text())
        return
    migrate.ensure_current()
    try:
        chosen = chosen_parameters(parameters)
        if survey is not None:
            chosen = with_survey(chosen, survey)
        with progress_bar() as step:
            scene = run_simulation(
                chosen, name, directory, lambda done, total: step("exposures", done, total)
            )
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except ValueError as error:
        raise _wrong(parameters, error) from error
    for path in [] if mosaic is None else simulate_mosaics(scene, directory, mosaic):
        click.echo(f"Mosaic: {path}")
    click.echo(f"{scene.stars.magnitude.size} stars and {scene.galaxies.ra.size} galaxies in {directory}.")


def chosen_parameters(path: Path | None) -> SimulationParameters:
    """Read the parameters of a file, or the defaults for None.

    Raises
    ------
    click.ClickException
        If the file is not one of parameters.
    """
    import yaml

    from loaders.simulation.parameters import default_parameters, load_parameters

    try:
        return default_parameters() if path is None else load_parameters(path)
    except (ValueError, yaml.YAMLError) as error:
        raise _wrong(path, error) from error


def _wrong(path: Path | None, error: Exception) -> click.ClickException:
    """Say in a line what is wrong with parameters."""
    return click.ClickException(f"{path or 'defaults'}: {' '.join(str(error).split())}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(simulate)
