"""What a table of sources is, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any] | np.ma.MaskedArray[Any, Any]
"""Values of a column, shape (n,), masked where the file has none."""


@dataclass(frozen=True)
class ColumnInfo:
    """What the file says of a column.

    Parameters
    ----------
    name
        As in the file.
    unit
        As in the file; None if it states none.
    ucd
        Unified Content Descriptor (IVOA); None if it states none.
    is_text
        Whether it holds text instead of numbers.
    """

    name: str
    unit: str | None = None
    ucd: str | None = None
    is_text: bool = False


@dataclass(frozen=True)
class CatalogFile:
    """A catalog's header.

    Parameters
    ----------
    path
        File.
    format
        ``parquet``, ``fits``, ``votable`` or ``ecsv``.
    n_row
        Number of rows.
    columns
        Columns of one value a row, by name.
    """

    path: Path
    format: str
    n_row: int
    columns: dict[str, ColumnInfo]


class TableReader(Protocol):
    """An open catalog."""

    @property
    def file(self) -> CatalogFile:
        """Header of the catalog."""

    def chunks(self, names: Sequence[str], chunk_rows: int) -> Iterator[dict[str, Column]]:
        """Columns of some rows, then of those that follow, to the end of the table."""


def stated(text: object) -> str | None:
    """Text of a header entry; None if it is absent or blank."""
    stripped = "" if text is None else str(text).strip()
    return stripped or None
