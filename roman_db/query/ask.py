"""One question from beginning to end: its statement, the format and the place of its answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from roman_db import sqlfile
from roman_db.query.error import QueryError
from roman_db.query.output import FORMATS, chosen_format, is_terminal, opened
from roman_db.query.statement import Statement, parse
from roman_db.query.stream import Request, open_result

#: Rows that a terminal shows unless more are asked for.
TERMINAL_ROWS = 200


@dataclass(frozen=True)
class Question:
    """What the user gave: one of SQL, a file and the name of an example, and how to answer.

    Parameters
    ----------
    params
        Values of named parameters, each ``name=value``.
    format_name
        Format; None for that of the suffix of ``out``.
    out
        File for the answer; None for standard output.
    max_rows
        Most rows; None for all, but 200 of a table on a terminal.
    timeout
        Seconds; 0 for no limit.
    """

    sql: str | None = None
    file: Path | None = None
    example: str | None = None
    params: tuple[str, ...] = ()
    format_name: str | None = None
    out: Path | None = None
    max_rows: int | None = None
    timeout: float = 0


def answer(question: Question) -> None:
    """Run the query, write the result, and say on standard error what the output does not.

    Raises
    ------
    QueryError
        If the question cannot be answered; the message says why.
    """
    statement = _statement(question)
    name = chosen_format(question.format_name, question.out)
    request = Request(statement, _max_rows(question, name), question.timeout, FORMATS[name].casts)
    with open_result(request) as result, opened(question.out) as sink:
        FORMATS[name].write(result, sink)
    if result.is_cut:
        click.echo(f"Only the first {result.n_row} rows: there are more, --max-rows gives them.", err=True)
    if result.n_row == 0:
        click.echo("No row answers the query.", err=True)
    elif question.out is not None:
        click.echo(f"{result.n_row} rows written to {question.out}", err=True)


def _statement(question: Question) -> Statement:
    """Return the statement that is asked, its parameters bound."""
    sources = (question.sql, question.file, question.example)
    if sum(source is not None for source in sources) != 1:
        raise QueryError("give the SQL, --file or --example, one of them")
    values = _values(question.params)
    if question.example is not None:
        return parse(sqlfile.find("examples", question.example).bind(values))
    text = question.sql if question.file is None else _read(question.file)
    return parse(parse(text or "").bind(values))


def _values(params: Iterable[str]) -> dict[str, object]:
    """Values of parameters by name."""
    values: dict[str, object] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name:
            raise QueryError(f"--param is written NAME=VALUE, got {param!r}")
        values[name] = value
    return values


def _read(path: Path) -> str:
    """Text of a file of SQL; ``-`` is standard input."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _max_rows(question: Question, format_name: str) -> int | None:
    """Most rows to give."""
    is_shown = format_name == "table" and is_terminal(question.out)
    return TERMINAL_ROWS if question.max_rows is None and is_shown else question.max_rows
