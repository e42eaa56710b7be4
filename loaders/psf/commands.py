"""``roman-db psf list`` and ``roman-db psf export``."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def psf() -> None:
    """Look at the library of point spread functions, and export it."""


@psf.command("list")
def list_psfs() -> None:
    """List the current PSFs with their size and ellipticity."""
    from roman_db import migrate
    from roman_db.query.ask import Question, answer
    from roman_db.query.error import reported

    migrate.ensure_current()
    with reported():
        answer(Question(example="psf_library"))


@psf.command()
@click.argument("psf_model_id", type=click.IntRange(1))
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def export(psf_model_id: int, path: Path) -> None:
    """Write a PSF of the library as an epsf reference file (ASDF, RAD)."""
    if path.suffix != ".asdf":
        raise click.BadParameter(f"{path.name!r} does not end in .asdf", param_hint="PATH")
    from loaders.psf.load import export_reference_file
    from loaders.rejection import Rejected
    from roman_db import migrate, session

    migrate.ensure_current()
    try:
        with session.reading() as connection:
            export_reference_file(connection, psf_model_id, path)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    click.echo(f"Written: {path}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(psf)
