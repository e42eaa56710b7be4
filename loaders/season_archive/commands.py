"""``roman-db season``: light curves of old seasons in files, and back."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from roman_db.jobs import ModeReport

_SURVEY = click.option("--survey", default="gbtds", show_default=True, help="Survey whose season is meant.")


@click.group()
def season() -> None:
    """Keep light curves of old seasons in files instead of the database."""


@season.command("detach")
@click.argument("number", metavar="SEASON", type=click.IntRange(1, 99))
@_SURVEY
@click.option("--to", "url", required=True, help="Folder, or URL of an object store (s3://, gs://, abfs://).")
def detach_command(number: int, survey: str, url: str) -> None:
    """Write the light curves of a sealed SEASON to Parquet, and take them out of the database.

    Queries that need them are refused from then on; all else stays. Run it again after an interruption.
    """
    from loaders.season_archive.tasks import detach_season
    from roman_db import migrate
    from roman_db.console import progress_bar

    migrate.ensure_current()
    with progress_bar() as step:
        report = detach_season(survey, number, url, step)
    _end_with(report)
    click.echo(f"Season {number} of {survey} is detached.")


@season.command("attach")
@click.argument("number", metavar="SEASON", type=click.IntRange(1, 99))
@_SURVEY
def attach_command(number: int, survey: str) -> None:
    """Bring the light curves of a SEASON back into the database, and check that they are the same."""
    from loaders.season_archive.tasks import attach_season
    from roman_db import migrate
    from roman_db.console import progress_bar

    migrate.ensure_current()
    with progress_bar() as step:
        report = attach_season(survey, number, step)
    _end_with(report)
    click.echo(f"Season {number} of {survey} is in the database.")


@season.command("list")
def list_command() -> None:
    """List the seasons that are detached, with their files."""
    from loaders.season_archive.load import kept_partitions
    from roman_db import session
    from roman_db.query.error import reported
    from roman_db.session import Role

    with reported(), session.reading(Role.LOADER) as connection:
        kept = kept_partitions(connection)
    for (survey, number), group in groupby(
        sorted(kept, key=lambda one: (one.survey, one.season)), key=lambda one: (one.survey, one.season)
    ):
        files = list(group)
        days = f"days {files[0].from_mjd} to {files[0].to_mjd - 1}"
        size = sum(one.size_bytes for one in files) / 1024**2
        click.echo(f"season {number} of {survey}, {days}: {len(files)} files, {size:.1f} MiB")
        for one in files:
            click.echo(f"  {one.n_row:>12} rows  {one.url}")


def _end_with(report: ModeReport) -> None:
    """Say which partitions failed and why, and end with 1 if any did."""
    from roman_db.console import EXIT_REJECTED, tell_failed

    if report.failed:
        tell_failed(report)
        sys.exit(EXIT_REJECTED)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(season)
