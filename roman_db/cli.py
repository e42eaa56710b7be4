"""The command ``roman-db``; loaders add their sub-commands by entry points, so that it knows none of them."""

from __future__ import annotations

import importlib.metadata
import sys

import click
import sqlalchemy as sa
import structlog
from pydantic import ValidationError

from roman_db import migrate
from roman_db.cluster.commands import cluster
from roman_db.cluster.error import ClusterError
from roman_db.logs import configure_logs
from roman_db.query.error import connection_remedy, explained


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roman-db")
def root() -> None:
    """Light curves, catalogs and spectra of the Roman Space Telescope in PostgreSQL.

    Without further ado a private PostgreSQL server is started when it is needed; ROMAN_DB_URL names another.
    """


@root.group()
def load() -> None:
    """Load files."""


@root.group()
def run() -> None:
    """Run a pipeline mode."""


@root.command()
def upgrade() -> None:
    """Create the database or bring it up to date with this release."""
    migrate.upgrade()
    click.echo("The database is up to date.")


root.add_command(cluster)


def main() -> None:
    """Run the command line; an error that we foresaw is one line, without a traceback."""
    for entry in importlib.metadata.entry_points(group="roman_db.commands"):
        entry.load()(root)
    try:
        configure_logs()
        root(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except sa.exc.OperationalError as error:
        words = explained(str(error.orig))
        if (remedy := connection_remedy(words)) is None:
            raise
        click.echo(f"Error: {words}\n{remedy}", err=True)
        sys.exit(1)
    except ClusterError as error:
        structlog.get_logger().error(str(error))
        sys.exit(1)
    except ValidationError as error:
        for wrong in error.errors():
            variable = "ROMAN_DB_" + "_".join(str(part) for part in wrong["loc"]).upper()
            click.echo(f"Error: environment variable {variable}: {wrong['msg']}", err=True)
        sys.exit(2)
