"""``roman-db query``, ``lightcurve``, ``status`` and ``audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from roman_db import sqlfile
from roman_db.query.ask import Question, answer
from roman_db.query.error import reported
from roman_db.query.output import FORMATS

_DEFAULT_TIMEOUT_S = 600.0


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    for command in (query_command, examples_command):
        root.add_command(command)


@click.command("query")
@click.argument("sql", required=False)
@click.option(
    "--file", type=click.Path(path_type=Path), help="Read the SQL from a file; - is standard input."
)
@click.option("--example", metavar="NAME", help="Run an example; `roman-db examples` lists them.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value for CAST(:NAME AS type).")
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), help="Default: by the suffix of --out."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option("--max-rows", type=click.IntRange(0), help="Default: all; 200 for a table on a terminal.")
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=_DEFAULT_TIMEOUT_S,
    show_default=True,
    help="Seconds after which the server gives up; 0 for never.",
)
def query_command(**question: Any) -> None:
    """Ask the database in SQL: one statement, which reads only.

    \b
    roman-db query "SELECT * FROM roman.field"
    roman-db query --example cone_search --param ra=268.4 --param dec=-29.5
    """  # noqa: D301
    with reported():
        answer(Question(**question))


@click.command("examples")
@click.argument("name", required=False)
def examples_command(name: str | None) -> None:
    """List the example queries, or show one."""
    with reported():
        if name is not None:
            click.echo(sqlfile.find("examples", name).text)
            return
        for file in sqlfile.read_all("examples"):
            click.echo(f"{file.name}\n    {file.purpose}")
            for parameter in file.parameters:
                default = "" if parameter.default is None else f" = {parameter.default}"
                click.echo(f"      --param {parameter.name}{default}  {parameter.description}")
