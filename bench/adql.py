"""How long it takes to translate ADQL: the corpus of the tests, and one long list."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.record import Figure
from roman_db.resources import read_yaml
from roman_db.tap.adql import AdqlError, translate
from tests.roman_db.tap.adql.sky import CATALOG

_CORPUS = Path(__file__).parent.parent / "tests" / "roman_db" / "tap" / "adql"
_REPEATS = 5


def figures() -> Iterator[Figure]:
    """Times of translations: of ordinary queries, of a list of 10,000 identifiers, of what is refused."""
    queries = [one["q"] for one in read_yaml(_CORPUS / "queries.yaml")]
    times = np.array([milliseconds(query) for query in queries])
    yield Figure("adql", "translation of a query, median", float(np.median(times)), "ms", 10, "min")
    yield Figure(
        "adql", "translation of a query, 99 of 100", float(np.percentile(times, 99)), "ms", 10, "min"
    )
    identifiers = ", ".join(str(2_028_000_000_000_000_000 + i) for i in range(10_000))
    long = f"SELECT star_id FROM sky.star WHERE star_id IN ({identifiers})"
    yield Figure("adql", "translation of a list of 10,000 identifiers", milliseconds(long), "ms", sense="min")
    hostile = read_yaml(_CORPUS / "hostile.yaml")
    refused = np.array([milliseconds(text) for text in hostile])
    yield Figure("adql", "refusal of a hostile text, largest", float(refused.max()), "ms", 10, "min")


def milliseconds(query: str) -> float:
    """Least time of some translations of a query."""
    return 1000 * min(_seconds(query) for _ in range(_REPEATS))


def _seconds(query: str) -> float:
    begin = time.perf_counter()
    with contextlib.suppress(AdqlError):
        translate(query, CATALOG)
    return time.perf_counter() - begin
