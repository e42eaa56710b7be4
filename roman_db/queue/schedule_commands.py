"""``roman-db jobs schedules``, ``schedule``, ``folders`` and ``watch``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

_COLUMNS = ("name", "is_enabled", "every_days", "first_at", "survey", "priority", "last_due_at", "command")
_FOLDER_COLUMNS = (
    "folder",
    "pattern",
    "is_enabled",
    "n_file",
    "n_unsettled",
    "looked_at",
    "problem",
    "command",
)


@click.command()
def schedules() -> None:
    """List what workers put into the queue at its time."""
    from roman_db import migrate, session
    from roman_db.accounts.listing import show_rows
    from roman_db.queue.schedule import list_schedules

    migrate.ensure_current()
    with session.transaction() as connection:
        rows = list_schedules(connection)
    show_rows(rows, _COLUMNS)


@click.command()
@click.argument("name")
@click.option("--enable/--disable", "is_enabled", default=None, help="Whether workers do it.")
@click.option("--every-days", type=click.FloatRange(0, min_open=True), help="Days from one time to the next.")
@click.option("--first-at", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="The first time (UTC).")
@click.option("--priority", type=int, help="That of its jobs; the highest is begun first.")
@click.option("--command", help="The command after roman-db; {season} is the number of the season.")
def schedule(name: str, first_at: datetime | None, command: str | None, **chosen: object) -> None:
    """Change the schedule NAME. What was missed while it was disabled is done once."""
    from roman_db import migrate, session
    from roman_db.cli import root
    from roman_db.queue.job import NotAJob, check_words
    from roman_db.queue.schedule import NoSuchSchedule, change, command_words

    changed = {column: value for column, value in chosen.items() if value is not None}
    if first_at is not None:
        changed["first_at"] = first_at.replace(tzinfo=UTC)
    try:
        if command is not None:
            check_words(root, command_words(command, 1))
            changed["command"] = command
        if not changed:
            raise click.UsageError("Say what to change.")
        migrate.ensure_current()
        with session.transaction() as connection:
            change(connection, name, changed)
    except (NotAJob, NoSuchSchedule) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Schedule {name} is changed.")


@click.command()
def folders() -> None:
    """List the folders in which workers look for new files."""
    from roman_db import migrate, session
    from roman_db.accounts.listing import show_rows
    from roman_db.queue.arrival import list_folders

    migrate.ensure_current()
    with session.transaction() as connection:
        rows = list_folders(connection)
    show_rows(rows, _FOLDER_COLUMNS)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path))
@click.option(
    "--pattern",
    default="**/*.asdf",
    show_default=True,
    help="Which files; **/ for those of folders below, too.",
)
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a file must stay as it is before it is loaded.",
)
@click.option("--priority", type=int, default=0, show_default=True, help="That of its jobs.")
@click.option("--enable/--disable", "is_enabled", default=True, help="Whether workers look there.")
@click.option(
    "--command",
    default="load exposure {files}",
    show_default=True,
    help="The command after roman-db; {files} are the files.",
)
def watch(folder: Path, command: str, **chosen: object) -> None:
    """Have workers load files as they arrive in FOLDER, each once; one that changed again."""
    from roman_db import migrate, session
    from roman_db.cli import root
    from roman_db.queue.arrival import command_words
    from roman_db.queue.arrival import watch as begin
    from roman_db.queue.job import NotAJob, check_words

    try:
        check_words(root, command_words(command, [str(folder)]))
    except NotAJob as error:
        raise click.ClickException(str(error)) from None
    migrate.ensure_current()
    with session.transaction() as connection:
        begin(connection, folder, {"command": command, **chosen})
    click.echo(f"Workers look into {folder}." if chosen["is_enabled"] else f"{folder} is not looked into.")
