"""Rows for people: columns under their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import click


def show_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Print columns of rows, each as wide as its widest value."""
    lines = [list(columns)] + [[cell(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def show_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, a line each."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {cell(value)}".rstrip())


def cell(value: object) -> str:
    """Text of a value; nothing for None, times to the minute in UTC."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return str(value)
