"""``roman-db contribute``: products of the community."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

_SUBMISSIONS = click.argument(
    "submissions", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, exists=True)
)


@click.group()
def contribute() -> None:
    """Take products of the community (Level 5): judge, store and publish them."""


@contribute.command("validate")
@_SUBMISSIONS
def validate_command(submissions: tuple[Path, ...]) -> None:
    """Say everything that is wrong with submissions, folders or packed files; it needs no database."""
    import tempfile

    from loaders.contribution.submission import judge
    from loaders.contribution.unpack import opened

    def judged(path: Path) -> str:
        with tempfile.TemporaryDirectory() as scratch, opened(path, Path(scratch)) as folder:
            said = judge(folder, str(path))
        return f"{path}: {said.label} is right, {len(said.files)} files"

    _each(submissions, judged)


@contribute.command("ingest")
@_SUBMISSIONS
def ingest_command(submissions: tuple[Path, ...]) -> None:
    """Store submissions: files, tables, and which objects their rows are. They are not published yet."""
    from loaders.contribution.load import ingest, scratch_folder
    from loaders.contribution.submission import judge
    from loaders.contribution.unpack import opened
    from roman_db import migrate

    migrate.ensure_current()

    def stored(path: Path) -> str:
        with scratch_folder() as scratch, opened(path, scratch) as folder:
            said = judge(folder, str(path))
            n_match = ingest(folder, said, str(path))
        return f"{said.label}: {len(said.files)} files stored, {n_match} rows matched with objects"

    _each(submissions, stored)


@contribute.command("publish")
@click.argument("name")
@click.argument("version")
def publish_command(name: str, version: str) -> None:
    """Let everybody see VERSION of the collection NAME: its tables in TAP, and one file with all of it."""
    from loaders.contribution.load import publish
    from roman_db import migrate

    migrate.ensure_current()
    state, path, names = publish(name, version)
    click.echo(f"{name} {version} is {state}: {path}")
    for one in names:
        click.echo(f"table {one}")


def _each(submissions: tuple[Path, ...], take: Callable[[Path], str]) -> None:
    """Take submissions one by one; those that are refused are told, and keep no other from being taken."""
    from loaders.contribution.refusal import Refused

    refused = 0
    for path in submissions:
        try:
            click.echo(take(path))
        except Refused as error:
            refused += 1
            click.echo(str(error), err=True)
    if refused:
        raise click.exceptions.Exit(1)


def commands(root: click.Group) -> None:
    """Add the commands of this domain."""
    root.add_command(contribute)
