"""``roman-db export microlens-submit``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("microlens-submit")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--team", required=True, help="Name of the team.")
@click.option("--repository", required=True, metavar="URL", help="Where the team's code is.")
@click.option("--tier", default="None", show_default=True, help="Tier of the challenge, if it is for one.")
@click.option("--season", type=click.IntRange(0), default=0, show_default=True, help="Season; 0: all.")
@click.option("--photometry-kind", default="psf", show_default=True, help="Kind of the light curves.")
def microlens_submit(
    directory: Path, team: str, repository: str, tier: str, season: int, photometry_kind: str
) -> None:
    """Write events, models and physical parameters as a project of microlens-submit.

    DIRECTORY is made; one that has files in it is refused. `microlens-submit validate-submission DIRECTORY`
    checks it, and `microlens-submit export` packs it.
    """
    from loaders.lens_physics.load import export_submission
    from loaders.lens_physics.submission import Team
    from loaders.rejection import Rejected
    from roman_db import migrate

    migrate.ensure_current()
    try:
        events, models = export_submission(directory, Team(team, repository, tier), season, photometry_kind)
    except Rejected as rejected:
        raise click.ClickException(str(rejected)) from rejected
    click.echo(f"{events:,} events with {models:,} models: {directory}")


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    group = root.commands["export"]
    if isinstance(group, click.Group):
        group.add_command(microlens_submit)
