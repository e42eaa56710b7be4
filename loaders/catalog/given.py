"""A catalog as it was read: its good sources, and the rows that were refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.catalog.check import RowRejections
from loaders.catalog.duplicates import find_duplicates
from loaders.catalog.names import first_of_name
from loaders.catalog.sources import Sources


@dataclass(frozen=True)
class CatalogInput:
    """A catalog in memory: the rows that it says it has, its good sources, and the rows that were refused."""

    path: Path
    name: str
    n_row: int
    sources: Sources
    refused: Sequence[RowRejections]


def distinct_sources(given: CatalogInput) -> tuple[Sources, npt.NDArray[np.int64], list[dict[str, Any]]]:
    """Sources that may keep their names, which of them are the same source, and rows refused for a name."""
    sources = given.sources
    group = find_duplicates(sources)
    claim = first_of_name(sources.source_id, group)
    refused = np.flatnonzero(claim >= 0)
    if refused.size == 0:
        return sources, group, []
    rows = [
        {
            "source": str(given.path),
            "row_number": int(sources.row[k]),
            "code": "repeated_source_id",
            "reason": f"source_id {sources.source_id[k]} is that of row {sources.row[claim[k]]}, elsewhere",
            "remedy": "Give each source an identifier of its own, or map no column to source_id",
        }
        for k in refused
    ]
    kept = claim < 0
    # Groups are numbered without gaps, in the order of their first rows.
    _, first, inverse = np.unique(group[kept], return_index=True, return_inverse=True)
    return sources.take(kept), np.argsort(np.argsort(first))[inverse].astype(np.int64), rows


def refused_rows(given: CatalogInput) -> list[dict[str, Any]]:
    """Rows that were refused for what they hold, as they are recorded."""
    return [
        {"source": str(given.path), "row_number": int(row), "code": code, "reason": reason, "remedy": remedy}
        for refused in given.refused
        for row, code, reason, remedy in zip(
            refused.row, refused.code, refused.reason, refused.remedy, strict=True
        )
    ]
