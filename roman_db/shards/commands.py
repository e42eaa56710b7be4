"""``roman-db shards``."""

from __future__ import annotations

import click

from roman_db.shards.ranges import END

_LISTED = ("shard", "server", "n_partition", "objects")


@click.group()
def shards() -> None:
    """Keep light curves on several servers, by ranges of objects."""


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    root.add_command(shards)


@shards.command("add")
@click.argument("name")
@click.argument("url")
def add_(name: str, url: str) -> None:
    """Make the empty database at URL, of another server, the shard NAME."""
    from roman_db import migrate
    from roman_db.query.error import reported
    from roman_db.shards.server import add

    migrate.ensure_current()
    with reported():
        add(name, url)
    click.echo(f"{name} is a shard; it has no objects yet: roman-db shards move {name}")


@shards.command("list")
def list_() -> None:
    """List the shards, the objects that each is to have, and how many partitions it has."""
    from roman_db import migrate, session
    from roman_db.accounts.listing import show_rows
    from roman_db.session import Role
    from roman_db.shards.storage import list_shards

    migrate.ensure_current()
    with session.reading(Role.OWNER) as connection:
        rows = list_shards(connection)
    show_rows(rows, _LISTED)


@shards.command("move")
@click.argument("to", metavar="SHARD|here")
@click.option("--from", "first", type=click.IntRange(0), default=0, help="First object. Default: of all.")
@click.option(
    "--to", "last", type=click.IntRange(1), default=END, help="First object after. Default: of all."
)
def move_(to: str, first: int, last: int) -> None:
    """Move the light curves of objects to SHARD, or here, while people read and loaders write.

    Give the same command again after an interruption.
    """
    from roman_db import migrate
    from roman_db.console import progress_bar
    from roman_db.query.error import reported
    from roman_db.shards.moving import move
    from roman_db.shards.ranges import Range

    migrate.ensure_current()
    with reported(), progress_bar() as step:
        n_partition = move(Range(first, last, None if to == "here" else to), step)
    click.echo(f"The objects are on their server: {n_partition} partitions were rewritten.")


@shards.command("remove")
@click.argument("name")
def remove_(name: str) -> None:
    """Forget the shard NAME, which has no light curves any more."""
    from roman_db import migrate
    from roman_db.query.error import reported
    from roman_db.shards.server import remove

    migrate.ensure_current()
    with reported():
        remove(name)
    click.echo(f"{name} is no shard any more; its database stays as it is.")
