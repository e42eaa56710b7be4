"""``roman-db load spectra``."""

from __future__ import annotations

from pathlib import Path

import click

from roman_db.option_types import FiniteRange


@click.command()
# What cannot be read is refused, and recorded, by the loader.
@click.argument("files", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--resolution",
    type=FiniteRange(1, 1e6),
    metavar="R",
    help="Wavelength by FWHM of the line-spread function. Default: as the file says, else of 2.5 pixels.",
)
@click.option(
    "--medium",
    type=click.Choice(["air", "vacuum"]),
    help="Of the wavelengths. Default: as the file says, else vacuum.",
)
@click.option(
    "--match-radius",
    type=FiniteRange(0.001, 10),
    default=1.0,
    show_default=True,
    help="Arcsec within which a spectrum is of a catalogued object.",
)
@click.option("--refit", is_flag=True, help="Fit again what is there; the earlier redshifts are superseded.")
def spectra(
    files: tuple[Path, ...], resolution: float | None, medium: str | None, match_radius: float, refit: bool
) -> None:
    """Load spectra of any telescope, and fit their redshifts, classes and lines.

    FITS, ECSV, ASDF or VOTable, with a row a pixel, or a row a spectrum. Columns with usual names are found.
    """
    from loaders.redshift.load import LoadOptions, load_spectra
    from loaders.redshift.read import Stated
    from roman_db import migrate
    from roman_db.console import finish, progress_bar
    from roman_db.load_run import Counts

    migrate.ensure_current()
    options = LoadOptions(Stated(resolution, medium), match_radius, refit)
    total, runs = Counts(0, 0, 0, 0), []
    with progress_bar() as step:
        for path in files:
            counts, load_run_id = load_spectra(path, options, step)
            runs.append(load_run_id)
            total = Counts(
                total.read + counts.read,
                total.loaded + counts.loaded,
                total.unchanged + counts.unchanged,
                total.rejected + counts.rejected,
            )
    finish(total, "spectra", runs)


def commands(root: click.Group) -> None:
    """Add the command of this domain."""
    group = root.commands["load"]
    if isinstance(group, click.Group):
        group.add_command(spectra)
