"""``roman-db query``, ``examples``, ``lightcurve``, ``status`` and ``audit``."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from roman_db.option_types import MISSION, FiniteRange

if TYPE_CHECKING:
    from roman_db.query.audit import AuditResult

#: Names of the formats of `roman_db.query.output`.
FORMATS = ("table", "csv", "parquet", "votable")
_DEFAULT_TIMEOUT_S = 600.0
#: PostgreSQL counts milliseconds in 32 bits, and rows and objects in 64.
_LONGEST_S, _MOST_ROWS, _LAST_OBJECT = 2_000_000, 10**12, 2**63 - 1


def commands(root: click.Group) -> None:
    """Add the commands of this package."""
    for command in (query_command, examples_command, light_curve_command, status_command, audit_command):
        root.add_command(command)


@click.command("query")
@click.argument("sql", required=False)
@click.option(
    "--file", type=click.Path(path_type=Path), help="Read the SQL from a file; - is standard input."
)
@click.option("--example", metavar="NAME", help="Run an example; `roman-db examples` lists them.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value for CAST(:NAME AS type).")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="Default: by the suffix of --out, or table.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option(
    "--max-rows", type=click.IntRange(0, _MOST_ROWS), help="Default: all; 200 for a table on a terminal."
)
@click.option(
    "--timeout",
    type=FiniteRange(0, _LONGEST_S),
    default=_DEFAULT_TIMEOUT_S,
    show_default=True,
    help="Seconds after which the server gives up; 0 for never.",
)
def query_command(**question: Any) -> None:
    """Ask the database in SQL: one statement, which reads only.

    \b
    roman-db query "SELECT * FROM roman.field"
    roman-db query --example cone_search --param ra=267.53 --param dec=-30.02
    """  # noqa: D301
    from roman_db.query.ask import Question, answer
    from roman_db.query.error import reported

    with reported():
        answer(Question(**question))


@click.command("examples")
@click.argument("name", required=False)
def examples_command(name: str | None) -> None:
    """List the example queries, or show one."""
    from roman_db import sqlfile
    from roman_db.query.error import reported

    with reported():
        if name is not None:
            click.echo(sqlfile.find("examples", name).text.rstrip())
            return
        for file in sqlfile.read_all("examples"):
            click.echo(f"{file.name}\n    {file.purpose}")
            for parameter in file.parameters:
                default = "" if parameter.default is None else f" = {parameter.default}"
                click.echo(f"      {parameter.name}{default}: {parameter.description}")


@click.command("lightcurve")
@click.option("--id", "object_id", type=click.IntRange(0, _LAST_OBJECT), help="Identifier of the object.")
@click.option("--ra", type=float, help="Right ascension to search at, deg ICRS.")
@click.option("--dec", type=float, help="Declination to search at, deg ICRS.")
@click.option("--radius", type=float, default=1.0, show_default=True, help="Radius to search in, arcsec.")
@click.option("--element", help="Optical element, such as F146. Default: all.")
@click.option(
    "--kind",
    type=click.Choice(
        ["psf", "psf_free", "aperture", "dia", "refined", "psf_mosaic", "aperture_mosaic", "external"]
    ),
    help="Kind of photometry. Default: all.",
)
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw: FILE.png, .pdf or .svg.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the points: FILE.csv, .parquet, .ecsv or .vot.",
)
def light_curve_command(**wanted: Any) -> None:
    """Show the light curve of an object: a summary, and on request its points and a plot."""
    from roman_db.query.error import reported
    from roman_db.query.light_curve_command import Wanted, show

    with reported():
        for line in show(Wanted(**wanted)):
            click.echo(line)


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status_command(as_json: bool) -> None:
    """Show what is in the database, the latest runs and their quality."""
    from roman_db.query import status_report
    from roman_db.query.error import reported
    from roman_db.query.status import read_status

    with reported():
        status = read_status()
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(status), default=str))
    else:
        click.echo("\n".join(status_report.report(status)))


@click.command("audit")
@click.argument("names", nargs=-1)
@click.option(
    "--from-mjd",
    type=click.IntRange(0, MISSION[1]),
    default=0,
    help="First day of light curves to look at. Default: all.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines: one object a line.")
def audit_command(names: tuple[str, ...], from_mjd: int, as_json: bool) -> None:
    """Check that the stored data obeys its rules; exit with 1 where it does not."""
    from roman_db.query.audit import chosen, run_audits
    from roman_db.query.error import reported

    all_passed = True
    with reported():
        for result in run_audits(chosen(names), from_mjd):
            all_passed &= result.passed
            click.echo(_as_json(result) if as_json else _as_text(result))
    sys.exit(0 if all_passed else 1)


def _as_json(result: AuditResult) -> str:
    """Outcome of an audit for machines."""
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    found = {"audit": result.name, "rule": result.rule, "passed": result.passed, "rows": rows}
    return json.dumps(found, default=str)


def _as_text(result: AuditResult) -> str:
    """Outcome of an audit for people, with the rows at fault."""
    if result.passed:
        return f"passed  {result.name}"
    lines = [f"FAILED  {result.name}: {result.rule}"]
    lines += [
        "        " + ", ".join(f"{name}={value}" for name, value in zip(result.columns, row, strict=True))
        for row in result.rows
    ]
    if result.n_row > len(result.rows):
        lines.append("        and more")
    return "\n".join(lines)
