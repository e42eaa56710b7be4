"""Aligned columns for people, with a line of units; a page of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from roman_db.query.formats.text import POSTGRESQL, as_text
from roman_db.query.stream import Result

#: Rows whose widths are looked at together, and longest cell.
_PAGE, _MOST = 1000, 60


def write_table(result: Result, sink: BinaryIO) -> None:
    """Write a result; long cells are cut short, with an ellipsis."""
    for line in table_lines(result):
        sink.write(f"{line}\n".encode())


def table_lines(result: Result) -> Iterator[str]:
    """Yield header, rows and their number."""
    head = [[field.name for field in result.schema], [_unit(field) for field in result.schema]]
    if not any(head[1]):
        head.pop()
    to_right = [_is_number(field.type) for field in result.schema]
    widths = [0] * len(to_right)
    for rows in _pages(result):
        page = head + rows
        widths = [
            max(least, *map(len, cells)) for least, cells in zip(widths, zip(*page, strict=True), strict=True)
        ]
        if head:
            yield from (_line(cells, widths, to_right) for cells in head)
            yield "  ".join("-" * width for width in widths)
            head = []
        yield from (_line(cells, widths, to_right) for cells in rows)
    yield "(1 row)" if result.n_row == 1 else f"({result.n_row} rows)"


def _pages(result: Result) -> Iterator[list[list[str]]]:
    """Rows of cells, some at a time; at least one page, be it empty."""
    any_page = False
    for batch in result.batches:
        for first in range(0, batch.num_rows, _PAGE):
            any_page = True
            yield _cells(batch.slice(first, _PAGE))
    if not any_page:
        yield []


def _cells(batch: pa.RecordBatch) -> list[list[str]]:
    """Cells of some rows."""
    columns = [[_cell(text) for text in as_text(column, POSTGRESQL).to_pylist()] for column in batch.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(text: str | None) -> str:
    """One line of limited length; NULL is nothing."""
    folded = " ".join((text or "").split()) if text and "\n" in text else text or ""
    return folded if len(folded) <= _MOST else folded[: _MOST - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    """Cells side by side, numbers to the right."""
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _unit(field: pa.Field) -> str:
    """Unit of a column, empty where it has none."""
    return str((field.metadata or {}).get(b"unit", b"").decode())


def _is_number(arrow_type: pa.DataType) -> bool:
    """Whether the values are single numbers."""
    return bool(pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type))
