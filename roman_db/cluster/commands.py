"""``roman-db cluster``: the private server by hand."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator

import click

from roman_db.cluster import binaries, lifecycle
from roman_db.cluster.error import ClusterError
from roman_db.cluster.layout import Layout
from roman_db.cluster.lifecycle import ClusterStatus
from roman_db.settings import settings

#: What ``status`` exits with where the server does not run, as an init script does (LSB).
_NOT_RUNNING = 3


@click.group("cluster")
def cluster() -> None:
    """Start, stop and look at the private PostgreSQL server.

    Other commands start it when they need it. It is not used while ROMAN_DB_URL names a server.
    """


@cluster.command("start")
def start_command() -> None:
    """Start the server, making its cluster first where there is none."""
    with _reported():
        _show(lifecycle.start(settings()))


@cluster.command("url")
@click.option("--reader", is_flag=True, help="The URL of somebody who may only read.")
def url_command(reader: bool) -> None:
    """Print the server's URL, for psql and its like, starting the server if need be."""
    with _reported():
        url = lifecycle.reader_url if reader else lifecycle.ensure_running
        click.echo(url(settings()))


@cluster.command("stop")
@click.option(
    "--immediate", is_flag=True, help="Do not write all to the data files first: the next start recovers."
)
def stop_command(immediate: bool) -> None:
    """Stop the server, ending the sessions that are open."""
    with _reported():
        stopped = lifecycle.stop(settings(), "immediate" if immediate else "fast")
    click.echo("stopped" if stopped else "it was not running")


@cluster.command("programs")
def programs_command() -> None:
    """List the PostgreSQL installations that the server can run on; fail where there is none."""
    with _reported():
        for one in binaries.usable(settings().pg_bin, Layout(settings().home)):
            click.echo(str(one))


@cluster.command("status")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status_command(as_json: bool) -> None:
    """Show whether the server runs, and how to reach it; exit with 3 where it does not run."""
    with _reported():
        found = lifecycle.status(settings())
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), default=str))
    else:
        _show(found)
    if found.state != "running":
        sys.exit(_NOT_RUNNING)


def _show(found: ClusterStatus) -> None:
    for name, value in dataclasses.asdict(found).items():
        if value is not None:
            click.echo(f"{name.replace('_', ' '):<12} {value}")


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """Turn what went wrong into one line for the user and the exit code 1."""
    try:
        yield
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
