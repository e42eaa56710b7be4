"""Where results go: a file, which appears only when it is whole, or standard output."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from roman_db.query.error import QueryError
from roman_db.query.stream import BYTEA, TEXT_ARRAY, Result

_WRITERS = "roman_db.query.formats"


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    writer
        Function that writes it, as ``module:name`` below `roman_db.query.formats`: it is imported when it is
        used, since some take longer to import than to write.
    suffixes
        Ends of the names of its files.
    is_text
        Whether people can read it.
    casts
        SQL types to which types (numbers of ``pg_type``) are cast that it has no counterpart of.
    """

    writer: str
    suffixes: tuple[str, ...]
    is_text: bool = True
    casts: Mapping[int, str] = field(default_factory=dict)

    def write(self, result: Result, sink: BinaryIO) -> None:
        """Write a result."""
        pkgutil.resolve_name(f"{_WRITERS}.{self.writer}")(result, sink)


FORMATS = {
    "table": Format("table:write_table", (".txt",), casts={BYTEA: "text"}),
    "csv": Format("csv_text:write_csv", (".csv",), casts={BYTEA: "text"}),
    "parquet": Format("parquet:write_parquet", (".parquet", ".pq"), is_text=False),
    "votable": Format(
        "votable:write_votable", (".vot", ".xml", ".votable"), casts={BYTEA: "text", TEXT_ARRAY: "text"}
    ),
}
#: Suffixes of the files that light curves can be drawn into.
PICTURES = (".png", ".pdf", ".svg")


def chosen_format(name: str | None, out: Path | None) -> str:
    """Name of the format: as said, else as the file's suffix says, else a table.

    Raises
    ------
    QueryError
        If the suffix says nothing to us, or binary data would go to a terminal.
    """
    if name is None:
        name = "table" if out is None else format_of(out, FORMATS)
    if not FORMATS[name].is_text and is_terminal(out):
        raise QueryError(
            f"{name} is binary and would garble the terminal: give --out FILE, or redirect the output"
        )
    return name


def is_terminal(out: Path | None) -> bool:
    """Whether the result is shown to a person."""
    return out is None and sys.stdout.isatty()


@contextlib.contextmanager
def opened(out: Path | None) -> Iterator[BinaryIO]:
    """Open a file or standard output for writing; a file takes its name when all is written.

    Raises
    ------
    QueryError
        If the file cannot be written.
    """
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with _said(out):
            yield from _replacing(out)


def _replacing(out: Path) -> Iterator[BinaryIO]:
    """Write beside the file, then take its place; what is no file, as a pipe, is written to as it is."""
    if out.exists() and not out.is_file():
        with out.open("wb") as stream:
            yield stream
        return
    part = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _said(out: Path) -> Iterator[None]:
    """Say which file cannot be written, and why."""
    try:
        yield
    except OSError as error:
        raise QueryError(f"cannot write {out}: {error.strerror or error}") from error


def format_of(out: Path, formats: Mapping[str, Format]) -> str:
    """Name of the format that the suffix of a file means.

    Raises
    ------
    QueryError
        If it means none.
    """
    for name, known in formats.items():
        if out.suffix.lower() in known.suffixes:
            return name
    every = ", ".join(suffix for known in formats.values() for suffix in known.suffixes)
    raise QueryError(f"cannot tell the format of {out.name}: end it in one of {every}")
