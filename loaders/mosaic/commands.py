"""``roman-db load mosaic``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
# A file that cannot be read is refused with the others loaded, so click must not look at it.
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path)
)
@click.option("--replace", is_flag=True, help="Let an older version of a mosaic replace a newer one.")
def mosaic(files: tuple[Path, ...], replace: bool) -> None:
    """Register Level-3 mosaics (ASDF). A folder stands for all *_coadd.asdf files in it.

    A newer version of a mosaic, by the date in it, takes the place of the one that is loaded.
    """
    from loaders.mosaic.load import expand, load_mosaics
    from roman_db import migrate
    from roman_db.console import finish, progress_bar

    migrate.ensure_current()
    paths = expand(files)
    with progress_bar() as step:
        counts = load_mosaics(paths, replace, lambda done: step("mosaics", done, len(paths)))
    finish(counts, "files")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["load"]
    if isinstance(group, click.Group):
        group.add_command(mosaic)
