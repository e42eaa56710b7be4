"""``roman-db deliveries``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from roman_db.delivery.correspondence import Done
    from roman_db.delivery.outbox import Outbox

_STATES = ("making", "made", "published", "accepted", "rejected", "refused", "failed")
_DUE = ("rule", "survey", "season", "start_mjd", "due_at", "status", "margin", "name", "reason")
_LISTED = ("delivery_id", "name", "state", "n_file", "size_bytes", "created_at", "published_at", "message")
_FILES = ("product", "scope", "filename", "state", "problem", "is_accepted", "archive_identifier", "message")
_INPUTS = ("filename", "state", "received_at", "n_notification", "reason")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DELIVERY_ID = click.argument("delivery_id", type=click.IntRange(1))


@click.group()
def deliveries() -> None:
    """Deliver products to the archive, and see what is due."""


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    root.add_command(deliveries)


@deliveries.command()
@click.option("--all", "with_done", is_flag=True, help="What is delivered, too.")
def due(with_done: bool) -> None:
    """List what is due, late and failed, the earliest deadline first."""
    from roman_db import session
    from roman_db.accounts.listing import show_rows
    from roman_db.delivery import storage

    _ready()
    with session.transaction() as connection:
        rows = storage.read_due(connection, with_done)
    show_rows(rows, _DUE)


@deliveries.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only deliveries in this state.")
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="Most of them to list.")
def list_(state: str | None, most: int) -> None:
    """List deliveries, the latest first."""
    from roman_db import session
    from roman_db.accounts.listing import show_rows
    from roman_db.delivery import storage

    _ready()
    with session.transaction() as connection:
        rows = storage.list_deliveries(connection, state, most)
    show_rows(rows, _LISTED)


@deliveries.command()
@_DELIVERY_ID
def show(delivery_id: int) -> None:
    """Show a delivery, its files and what became of it."""
    from roman_db import session
    from roman_db.accounts.listing import show_fields, show_rows
    from roman_db.delivery import products, storage
    from roman_db.query.error import reported

    _ready()
    with reported(), session.transaction() as connection:
        show_fields(storage.find(connection, delivery_id))
        click.echo()
        show_rows(products.read(connection, delivery_id), _FILES)
        click.echo()
        show_rows(storage.events_of(connection, delivery_id), ("at", "kind", "message"))


@deliveries.command("make")
@click.argument("rule")
@click.option("--survey", default="gbtds", show_default=True, help="Survey whose seasons are meant.")
@click.option("--season", type=click.IntRange(0, 99), default=0, help="Season; none for the whole survey.")
@click.option("--day", type=int, help="A day of it (MJD), where it is of a day or of eight.")
@click.option("--partial", is_flag=True, help="Though exposures are in no light curve.")
def make_(rule: str, survey: str, season: int, day: int | None, partial: bool) -> None:
    """Make a delivery by RULE (daily, eight-day, season …) and verify it, but do not publish it.

    What was delivered of the same days before is replaced when it is published, and stays readable.
    """
    from roman_db import session
    from roman_db.delivery import storage
    from roman_db.delivery.make import make
    from roman_db.query.error import reported

    _ready()
    with reported():
        with session.transaction() as connection:
            span = storage.find_span(connection, rule, survey, season, day)
        number = make(span, _outbox(), partial)
    click.echo(f"Delivery {number} is made: roman-db deliveries publish {number}")


@deliveries.command("publish")
@_DELIVERY_ID
def publish_(delivery_id: int) -> None:
    """Let the archive see a delivery that is made: all of it in one step."""
    from roman_db.delivery.publish import publish
    from roman_db.query.error import reported

    _ready()
    with reported():
        name = publish(delivery_id, _outbox())
        click.echo(f"{_outbox().published(name)} is published.")


@deliveries.command("retry")
@_DELIVERY_ID
def retry_(delivery_id: int) -> None:
    """Do what is left of a delivery; make and publish anew one that was refused, rejected or failed."""
    from roman_db.delivery.round import retry
    from roman_db.query.error import reported

    _ready()
    with reported():
        click.echo(f"{retry(delivery_id, _outbox())}.")


@deliveries.command("send")
def send_() -> None:
    """Make and publish all that is due and ready, and read the answers of the archive."""
    from roman_db.delivery.round import send

    _ready()
    _tell(send(_outbox()))


@deliveries.command("acknowledge")
@click.argument("files", nargs=-1, type=_FILE)
def acknowledge_(files: tuple[Path, ...]) -> None:
    """Read answers of the archive: FILES, or all that it put into its folder."""
    from roman_db.delivery.correspondence import acknowledge

    _ready()
    _tell(acknowledge(files or sorted(_outbox().answers.glob("*.json"))))


@deliveries.command("announce")
@click.argument("files", nargs=-1, type=_FILE, required=True)
def announce_(files: tuple[Path, ...]) -> None:
    """Read notifications that data are available for us; one that was read before changes nothing."""
    from roman_db.delivery.correspondence import announce

    _ready()
    _tell(announce(files))


@deliveries.command()
@click.option(
    "--state",
    type=click.Choice(("loaded", "corrupted", "expected", "missing")),
    help="Default: all but those that are loaded.",
)
def inputs(state: str | None) -> None:
    """List files that were announced, and whether they came."""
    from roman_db import session
    from roman_db.accounts.listing import show_rows
    from roman_db.delivery.inputs import read_announced

    _ready()
    with session.transaction() as connection:
        rows = read_announced(connection, state)
    show_rows(rows, _INPUTS)


def _tell(steps: Iterable[Done]) -> None:
    """Say what came of each step; an error if one went wrong, so that a worker tries again."""
    from roman_db.query.error import reported

    n_steps = n_wrong = 0
    with reported():
        for step in steps:
            click.echo(step.words if step.is_good else f"Error: {step.words}", err=not step.is_good)
            n_steps += 1
            n_wrong += not step.is_good
    if n_wrong:
        raise click.ClickException(f"{n_wrong} of {n_steps} went wrong")


def _outbox() -> Outbox:
    """Folder of deliveries."""
    from roman_db.delivery.outbox import Outbox
    from roman_db.settings import settings

    return Outbox(settings().delivery_folder)


def _ready() -> None:
    """Bring the database up to date."""
    from roman_db import migrate

    migrate.ensure_current()
