"""``roman-db cluster backup``, ``backups`` and ``restore``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from roman_db.backup.check import Archive
    from roman_db.cluster.backup_folder import Backup

_SHOWN = "%Y-%m-%d %H:%M:%S"


def commands(root: click.Group) -> None:
    """Add the commands of this package to those of the private server."""
    group = root.commands["cluster"]
    if isinstance(group, click.Group):
        for command in (backup_command, backups_command, restore_command):
            group.add_command(command)


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without a time zone it is UTC."""

    name = "time"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time: write 2027-03-01T12:00:00", parameter, context)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("backup")
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="Afterwards remove all but so many of the newest backups, and the log that only they need.",
)
def backup_command(keep: int | None) -> None:
    """Make a base backup of the running server in ROMAN_DB_BACKUP_FOLDER, and verify it."""
    from roman_db.backup.take import forget, take
    from roman_db.settings import settings

    backup = take(settings())
    click.echo(f"backup {backup.label} made and verified, {backup.size_bytes / 1024**2:.0f} MiB")
    for old in forget(settings(), keep) if keep is not None else ():
        click.echo(f"backup {old.label} removed")


@click.command("backups")
@click.option("--check", is_flag=True, help="Read all of them and all of the log: is everything whole?")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def backups_command(check: bool, as_json: bool) -> None:
    """List the backups and the archived log; exit with 1 where something is wrong with them."""
    from roman_db.backup.check import archive_of, faults
    from roman_db.backup.server import folder_of, runner_of
    from roman_db.cluster.backup_folder import backups
    from roman_db.cluster.layout import Layout
    from roman_db.settings import settings

    folder = folder_of(settings())
    found = backups(folder)
    archive = archive_of(settings(), folder, found)
    wrong = [] if archive.fault is None else [archive.fault]
    if check:
        wrong += faults(folder, found, runner_of(settings(), Layout(settings().home)))
    if as_json:
        shown = {"backups": [asdict(one) for one in found], "archive": asdict(archive), "faults": wrong}
        click.echo(json.dumps(shown, default=str))
    else:
        _show(found, archive)
        for words in wrong:
            click.echo(f"wrong: {words}", err=True)
    sys.exit(1 if wrong else 0)


@click.command("restore")
@click.option(
    "--to", "moment", type=Moment(), help="Moment to restore, UTC unless it says. Default: the last."
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of backups. Default: ROMAN_DB_BACKUP_FOLDER.",
)
@click.option(
    "--timeline", type=click.IntRange(1), help="A timeline that a later restore left. Default: the newest."
)
def restore_command(moment: datetime | None, source: Path | None, timeline: int | None) -> None:
    """Bring the private server back as it was at a moment; the cluster that is there is kept beside it."""
    from roman_db.backup.restore import Wish, restore
    from roman_db.settings import settings

    done = restore(settings(), Wish(moment, source, timeline))
    last = done.reached.last_commit
    click.echo(f"restored from backup {done.backup.label}")
    click.echo(
        f"last commit: {'none after the backup' if last is None else last.astimezone(UTC).isoformat()}"
    )
    click.echo(f"timeline {done.reached.timeline} begins")
    if done.before is not None:
        click.echo(f"the cluster before is kept in {done.before}: remove it when you do not need it")
    click.echo("Now check it: roman-db verify")


def _show(found: list[Backup], archive: Archive) -> None:
    """Print backups as a table, and how far the log goes."""
    click.echo(f"{'backup':<20} {'restorable from (UTC)':<22} {'timeline':>8} {'MiB':>10}")
    for one in found:
        when = one.finished.astimezone(UTC).strftime(_SHOWN)
        click.echo(f"{one.label:<20} {when:<22} {one.timeline:>8} {one.size_bytes / 1024**2:>10.0f}")
    until = "nothing" if archive.last_at is None else f"{archive.last} at {archive.last_at.strftime(_SHOWN)}"
    click.echo(f"log archived up to {until}, timeline {archive.timeline}")
