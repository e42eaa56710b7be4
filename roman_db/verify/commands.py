"""``roman-db verify``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from roman_db.option_types import MISSION

if TYPE_CHECKING:
    from roman_db.verify.checksum import Comparison

_MOST_SHOWN = 20


def commands(root: click.Group) -> None:
    """Add the command of this package."""
    root.add_command(verify_command)


@click.command("verify")
@click.option(
    "--from-mjd",
    type=click.IntRange(0, MISSION[1]),
    default=0,
    help="First day of light curves to read. Default: all.",
)
@click.option(
    "--files/--no-files",
    default=True,
    show_default=True,
    help="Whether the files of tables and indexes are read as well (pg_amcheck).",
)
def verify_command(from_mjd: int, files: bool) -> None:
    """Check that the database is whole: rules, counts, what blocks held when they were noted, and files.

    What blocks hold is noted the first time that they are seen, so run it now and then, and before a backup.
    Exit with 1 where anything is wrong.
    """
    from roman_db.query.error import reported

    with reported():
        passed = [_audits(from_mjd), _blocks(from_mjd), not files or _files()]
    sys.exit(0 if all(passed) else 1)


def _audits(from_mjd: int) -> bool:
    """Run all audits, those that reckon runs with rows among them; whether all passed."""
    from roman_db.query.audit import chosen, run_audits

    failed = [result for result in run_audits(chosen(()), from_mjd) if not result.passed]
    for result in failed:
        click.echo(f"FAILED  audit {result.name}: {result.rule} (roman-db audit {result.name} shows them)")
    return _said("all audits passed", not failed)


def _blocks(from_mjd: int) -> bool:
    """Compare what blocks hold with what was noted; whether all is the same."""
    from roman_db.verify.checksum import compare

    verdicts = [_compared(one) for one in compare(from_mjd)]
    return all(verdicts)


def _compared(found: Comparison) -> bool:
    """Tell what came of one table."""
    for difference in found.differences[:_MOST_SHOWN]:
        click.echo(f"FAILED  {difference}")
    if len(found.differences) > _MOST_SHOWN:
        click.echo(f"FAILED  {found.table_name}: {len(found.differences)} blocks in all")
    for first, last in found.skipped_days:
        click.echo(f"skipped {found.table_name}: days {first} to {last - 1} are detached")
    words = f"{found.table_name}: {found.n_same} blocks as noted, {found.n_new} noted now"
    return _said(words, not found.differences)


def _files() -> bool:
    """Have the files read, where that is possible; whether they are whole."""
    from roman_db.settings import settings
    from roman_db.verify.files import faults, program

    found = program(settings())
    if found is None:
        click.echo("skipped files: pg_amcheck is not installed")
        return True
    wrong = faults(*found)
    for line in wrong:
        click.echo(f"FAILED  {line}")
    return _said("files of tables and indexes are whole", not wrong)


def _said(words: str, is_right: bool) -> bool:
    """Say that something passed, if it did."""
    if is_right:
        click.echo(f"passed  {words}")
    return is_right
