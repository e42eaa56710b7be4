"""``roman-db load spectral-reference``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from roman_db.option_types import PEDIGREE, FiniteRange


@click.command("spectral-reference")
# What cannot be read is refused, and recorded, by the loader.
@click.argument("files", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--version",
    type=click.IntRange(0),
    help="Version; of those that are valid the highest is used. Default: one above the highest loaded.",
)
@click.option(
    "--detector", help="Only for this detector, such as WFI07; configurations of aXe do not say it."
)
@click.option(
    "--valid-from",
    "valid_from_mjd",
    type=FiniteRange(0),
    default=0.0,
    show_default=True,
    metavar="MJD",
    help="Valid for exposures with midpoints (TDB) from then on.",
)
@click.option(
    "--valid-to", "valid_to_mjd", type=FiniteRange(0), metavar="MJD", help="And before then. Default: no end."
)
@click.option("--pedigree", type=PEDIGREE, default="GROUND", show_default=True, help="As in RAD.")
@click.option("--description", help="What people are to know of it.")
@click.option("--replace", is_flag=True, help="Take the place of what is loaded as the same version.")
def spectral_reference(files: tuple[Path, ...], **chosen: Any) -> None:
    """Load references of grism and prism: geometry, sensitivity or flat, as the files say.

    A geometry is of one of the forms that spectral-geometry reads. Exposures that a new reference is the best
    for are extracted again by roman-db run spectra.
    """
    from loaders.spectral_reference.load import ReferenceOptions, load_references
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    start, end = chosen["valid_from_mjd"], chosen["valid_to_mjd"]
    if end is not None and end <= start:
        raise click.BadParameter(f"{end} is not after {start}", param_hint="--valid-to")
    migrate.ensure_current()
    with progress_bar() as step:
        counts, load_run_id = load_references(
            files, ReferenceOptions(**chosen), lambda done: step("references", done, len(files))
        )
    finish(counts, "files", [load_run_id])


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["load"]
    if isinstance(group, click.Group):
        group.add_command(spectral_reference)
