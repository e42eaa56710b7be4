"""The command ``roman-db``; loaders add their sub-commands by entry points, so that it knows none of them.

What a command needs is imported when it runs: a list of the commands must come at once.
"""

from __future__ import annotations

import importlib.metadata
import sys

import click

from roman_db.cluster.commands import cluster

#: Commands that log nothing; setting logs up would take them a tenth of a second.
_SILENT = ("query", "lightcurve", "examples")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roman-db")
@click.pass_context
def root(context: click.Context) -> None:
    """Light curves, catalogs and spectra of the Roman Space Telescope in PostgreSQL.

    Without further ado a private PostgreSQL server is started when it is needed; ROMAN_DB_URL names another.
    """
    if context.invoked_subcommand not in _SILENT:
        from roman_db.logs import configure_logs

        configure_logs()


@root.group()
def load() -> None:
    """Load files."""


@root.group()
def run() -> None:
    """Run a pipeline mode."""


@root.group()
def export() -> None:
    """Write products in the formats of others."""


@root.command()
def upgrade() -> None:
    """Create the database or bring it up to date with this release."""
    from roman_db import migrate

    migrate.upgrade()
    click.echo("The database is up to date.")


root.add_command(cluster)


def main() -> None:
    """Run the command line; an error that we foresaw is one line, without a traceback."""
    for entry in importlib.metadata.entry_points(group="roman_db.commands"):
        entry.load()(root)
    try:
        code = root(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if (code := _say(error)) is None:
            raise
        sys.exit(code)
    # click returns the code of a command that ended early, and does not end with it.
    if isinstance(code, int) and code:
        sys.exit(code)


def _say(error: Exception) -> int | None:
    """Say an error that we foresaw in a line, and return the exit code; None for any other error."""
    from roman_db.failure import exit_code, words

    lines = words(error)
    for line in lines or []:
        click.echo(f"Error: {line}", err=True)
    return None if lines is None else exit_code(error)
