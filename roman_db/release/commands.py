"""``roman-db release``."""

from __future__ import annotations

import re
import sys

import click

_NAME = re.compile("dr[1-9][0-9]{0,3}", re.ASCII)
_LISTED = ("data_release", "survey", "season", "frozen_at", "dropped_at", "calibration", "note")
_HELD = ("table_name", "kind", "n_row", "digest")


@click.group()
def release() -> None:
    """Freeze data releases, which stay as they are and are queried by their names."""


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    root.add_command(release)


@release.command("make")
@click.argument("name")
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons are meant.")
@click.option("--season", type=click.IntRange(0, 99), default=0, help="Season. Default: all.")
@click.option("--despite", "note", metavar="REASON", help="Why, though not all of it is consistent.")
def make_(name: str, survey: str, season: int, note: str | None) -> None:
    """Freeze what is stored now as the data release NAME: dr and a number.

    It is refused where exposures are not measured, or calibrated or measured by several versions.
    """
    from roman_db import migrate
    from roman_db.query.error import reported
    from roman_db.release.freeze import Release, make

    if _NAME.fullmatch(name) is None:
        raise click.BadParameter(f"{name!r} is no name of a data release: dr and a number, such as dr1")
    migrate.ensure_current()
    with reported():
        n_table = make(Release(name, survey, season, note))
    click.echo(f"{name} is frozen: {n_table} tables and views, such as {name}.object.")


@release.command("list")
def list_() -> None:
    """List the data releases."""
    from roman_db import migrate, session
    from roman_db.accounts.listing import show_rows
    from roman_db.release.freeze import list_releases

    migrate.ensure_current()
    with session.reading() as connection:
        rows = list_releases(connection)
    show_rows(rows, _LISTED)


@release.command()
@click.argument("name")
def show(name: str) -> None:
    """Show what the data release NAME holds."""
    from roman_db import migrate, session
    from roman_db.accounts.listing import show_fields, show_rows
    from roman_db.query.error import reported
    from roman_db.release.freeze import find

    migrate.ensure_current()
    with reported(), session.reading() as connection:
        one, tables = find(connection, name)
        show_fields(one)
        click.echo()
        show_rows(tables, _HELD)


@release.command("verify")
@click.argument("name")
def verify_(name: str) -> None:
    """Make sure that the data release NAME is what it was when it was frozen. All of it is read."""
    from roman_db import migrate
    from roman_db.query.error import reported
    from roman_db.release.freeze import verify

    migrate.ensure_current()
    with reported():
        found = list(verify(name))
    for one in found:
        click.echo(f"Error: {one}", err=True)
    if found:
        sys.exit(1)
    click.echo(f"{name} is what it was when it was frozen.")


@release.command("drop")
@click.argument("name")
@click.option("--despite", "reason", metavar="REASON", help="Why, though it is what was delivered.")
def drop_(name: str, reason: str | None) -> None:
    """Drop the data release NAME: its tables, and light curves that only it holds. What it was stays listed.

    It is refused where it is what was delivered. Its name is not given again.
    """
    from roman_db import migrate
    from roman_db.query.error import reported
    from roman_db.release.drop import drop

    migrate.ensure_current()
    with reported():
        freed = drop(name, reason)
    click.echo(
        f"{name} is dropped: {freed.size_bytes} bytes of its tables are free, and {freed.n_partition} "
        "partitions of light curves that only it held."
    )
