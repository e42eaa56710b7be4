"""``roman-db spectral-geometry``: references of grism and prism on files, without the database."""

from __future__ import annotations

from pathlib import Path

import click

_REFERENCE = click.argument("reference", type=click.Path(path_type=Path))


@click.group("spectral-geometry")
def spectral_geometry() -> None:
    """See where grism and prism send light, by a REFERENCE.

    REFERENCE is an ASDF file of ours, an optical model of Roman (YAML), a configuration of aXe or GRISMCONF,
    or nominal-grism or nominal-prism: as designed.
    """


@spectral_geometry.command()
@_REFERENCE
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def convert(reference: Path, output: Path) -> None:
    """Write a REFERENCE as an ASDF file of ours."""
    from loaders.output_folder import writing
    from loaders.rejection import Rejected
    from loaders.spectral_geometry.read import read_geometry
    from loaders.spectral_geometry.reference_file import write_reference

    try:
        read = read_geometry(reference)
        with writing(output.parent):
            write_reference(output, read)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    orders = ", ".join(str(order) for order in sorted(read.orders))
    click.echo(f"Written: {output}, {read.optical_element} with orders {orders}")


@spectral_geometry.command()
@_REFERENCE
@click.argument("x", type=float)
@click.argument("y", type=float)
@click.option("--detector", default="WFI01", show_default=True, help="WFI01 to WFI18.")
@click.option("--order", type=int, default=1, show_default=True, help="Order of diffraction.")
@click.option("--points", type=click.IntRange(2), default=11, show_default=True, help="Number of rows.")
def trace(reference: Path, x: float, y: float, detector: str, order: int, points: int) -> None:
    """Print the trace of a source at the direct pixel X, Y (0-based)."""
    import numpy as np

    from loaders.rejection import Rejected
    from loaders.spectral_geometry.read import read_geometry

    try:
        dispersion = read_geometry(reference).on(detector)
        low, high = dispersion.wavelength_range.get(order, (np.nan, np.nan))
        wavelength = np.linspace(low, high, points)
        columns = dispersion.disperse(order, np.array([x]), np.array([y]), wavelength)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except ValueError as error:
        raise click.ClickException(f"{reference}: {error}.") from error
    click.echo("wavelength_um        x        y")
    for row in zip(wavelength, columns[0][0], columns[1][0], strict=True):
        click.echo("{:13.4f} {:8.2f} {:8.2f}".format(*row))


@spectral_geometry.command()
@_REFERENCE
@click.argument("x", type=float)
@click.argument("y", type=float)
@click.argument("wavelength", type=click.FloatRange(min=0, min_open=True))
@click.option("--detector", default="WFI01", show_default=True, help="WFI01 to WFI18.")
@click.option("--order", type=int, default=1, show_default=True, help="Order of diffraction.")
def locate(reference: Path, x: float, y: float, wavelength: float, detector: str, order: int) -> None:
    """Print the direct pixel of what falls, with WAVELENGTH (µm), on the pixel X, Y (0-based)."""
    import numpy as np

    from loaders.rejection import Rejected
    from loaders.spectral_geometry.inverse import direct_position
    from loaders.spectral_geometry.read import read_geometry

    try:
        dispersion = read_geometry(reference).on(detector)
        pixel = np.array([x]), np.array([y])
        direct = direct_position(dispersion, order, pixel, np.array([wavelength]))
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except ValueError as error:
        raise click.ClickException(f"{reference}: {error}.") from error
    if not np.all(np.isfinite(direct)):
        raise click.ClickException(f"no direct position sends {wavelength} µm to {x}, {y} in order {order}.")
    click.echo(f"x {direct[0][0]:.2f} y {direct[1][0]:.2f}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(spectral_geometry)
