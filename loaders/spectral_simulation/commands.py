"""``roman-db simulate-spectra``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("simulate-spectra")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--parameters", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="YAML file.")
@click.option("--show", is_flag=True, help="Print all parameters with their defaults, and do nothing.")
def simulate_spectra(directory: Path, parameters: Path | None, show: bool) -> None:
    """Simulate a direct exposure and grism or prism exposures of a small field into DIRECTORY.

    Beside the exposures lie geometry.asdf and, with the spectrum of every source, truth.parquet.
    """
    import yaml

    from loaders.output_folder import writable_folder
    from loaders.rejection import Rejected
    from loaders.spectral_simulation.field import default_text, field_parameters
    from loaders.spectral_simulation.simulate import simulate_field, write_field

    if show:
        click.echo(default_text())
        return
    try:
        field = simulate_field(field_parameters(parameters))
        for path in write_field(field, writable_folder(directory)):
            click.echo(f"Written: {path}")
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except (ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise click.ClickException(f"{parameters or 'defaults'}: {said}") from error


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(simulate_spectra)
