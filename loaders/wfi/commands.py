"""``roman-db load exposure``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
# A file that cannot be read is refused with the others loaded, so click must not look at it.
@click.argument("files", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option(
    "--replace",
    is_flag=True,
    help="Let a changed file, or an earlier version, replace the one that is loaded.",
)
def exposure(files: tuple[Path, ...], replace: bool) -> None:
    """Load Level-2 exposures (ASDF). A folder stands for all *_cal.asdf files in it."""
    from loaders.wfi.load import expand, load_exposures
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    migrate.ensure_current()
    paths = expand(files)
    if not paths:
        raise click.ClickException("no file *_cal.asdf in the folders given")
    with progress_bar() as step:
        counts = load_exposures(paths, replace, lambda done: step("exposures", done, len(paths)))
    finish(counts, "files")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["load"]
    if isinstance(group, click.Group):
        group.add_command(exposure)
