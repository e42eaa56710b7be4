"""``roman-db spectral-extraction``: steps from dispersed exposures to spectra, on files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from loaders.spectral_extraction.contamination import Instrument
    from loaders.spectral_extraction.exposure import DispersedExposure

_FILE = click.Path(path_type=Path, dir_okay=False)
_REFERENCE = click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="Geometry (see roman-db spectral-geometry); as designed if none is given.",
)
_GAIN = click.option(
    "--gain",
    type=click.FloatRange(0, min_open=True),
    default=1.8,
    show_default=True,
    help="Electrons per DN.",
)


@click.group("spectral-extraction")
def spectral_extraction() -> None:
    """Find and extract the spectra of a dispersed exposure, from file to file."""


@spectral_extraction.command("locate")
@click.argument("exposure", type=_FILE)
@click.argument("catalog", type=_FILE)
@click.argument("output", type=_FILE)
@_REFERENCE
@_GAIN
def locate_spectra(exposure: Path, catalog: Path, output: Path, reference: Path | None, gain: float) -> None:
    """Write where the spectra of the sources of CATALOG lie on EXPOSURE, in all orders (Parquet)."""
    import pyarrow.parquet as pq

    from loaders.output_folder import writing
    from loaders.rejection import Rejected
    from loaders.spectral_extraction.product import location_table, read_catalog

    try:
        read, instrument = _instrument(exposure, reference, gain)
        table = location_table(read, instrument, read_catalog(catalog))
        with writing(output.parent):
            pq.write_table(table, output)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except ValueError as error:
        raise click.ClickException(f"{exposure}: {error}.") from error
    on = sum(share > 0 for share in table["on_detector"].to_pylist())
    click.echo(f"Written: {output}, {on} of {table.num_rows} spectra are on the exposure")


@spectral_extraction.command("extract")
@click.argument("exposure", type=_FILE)
@click.argument("direct", type=_FILE)
@click.argument("catalog", type=_FILE)
@click.argument("output", type=_FILE)
@_REFERENCE
@_GAIN
def extract_spectra(
    exposure: Path, direct: Path, catalog: Path, output: Path, reference: Path | None, gain: float
) -> None:
    """Write the spectra of the sources of CATALOG on EXPOSURE, with shapes from DIRECT (Parquet)."""
    import pyarrow.parquet as pq

    from loaders.output_folder import writing
    from loaders.rejection import Rejected
    from loaders.spectral_extraction.product import read_catalog, spectra_table
    from loaders.wfi.level2 import read_level2

    try:
        read, instrument = _instrument(exposure, reference, gain)
        table = spectra_table(read, read_level2(direct), instrument, read_catalog(catalog))
        with writing(output.parent):
            pq.write_table(table, output)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    except ValueError as error:
        raise click.ClickException(f"{exposure}: {error}.") from error
    click.echo(f"Written: {output}, {table['reason'].null_count} of {table.num_rows} sources have spectra")


@spectral_extraction.command("sensitivity")
@click.argument("optical_element", type=click.Choice(["GRISM", "PRISM"]))
@click.argument("output", type=_FILE)
def designed(optical_element: str, output: Path) -> None:
    """Write the sensitivities of all detectors and orders that effective areas predict (ASDF)."""
    from loaders.output_folder import writing
    from loaders.rejection import Rejected
    from loaders.spectral_extraction.calibration_file import designed_sensitivity, write_sensitivity

    try:
        with writing(output.parent):
            write_sensitivity(output, designed_sensitivity(optical_element))
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    click.echo(f"Written: {output}")


def _instrument(exposure: Path, reference: Path | None, gain: float) -> tuple[DispersedExposure, Instrument]:
    """An exposure, and geometry and sensitivities for it.

    Raises
    ------
    Rejected
        If one of them cannot be used.
    """
    from loaders.spectral_extraction.exposure import read_dispersed
    from loaders.spectral_extraction.product import instrument_of
    from loaders.spectral_geometry.read import read_geometry

    read = read_dispersed(exposure, gain)
    nominal = Path(f"nominal-{read.image.metadata.optical_element.lower()}")
    return read, instrument_of(read, read_geometry(reference or nominal))


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(spectral_extraction)
