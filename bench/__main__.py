"""``python -m bench [area ...]``: measure, print the table, keep the figures in ``bench/results.json``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.record import Figure, print_table, write_json
from bench.report import write_page

#: Areas in the order in which they are measured; each is a module with ``figures() -> Iterable[Figure]``.
AREAS = ("photometry", "storage", "reference", "season", "tap", "archive", "spectra")
_RESULTS = Path(__file__).with_name("results.json")


def present_areas() -> list[str]:
    """Areas of which there is a module."""
    return [area for area in AREAS if importlib.util.find_spec(f"bench.{area}")]


def measure(area: str) -> list[Figure]:
    """Figures of one area."""
    found: Iterable[Figure] = importlib.import_module(f"bench.{area}").figures()
    return list(found)


def main(arguments: list[str]) -> int:
    """Measure the areas that are named, or all; return 1 if a target is missed."""
    if unknown := sorted(set(arguments) - set(present_areas())):
        print(f"no such area: {', '.join(unknown)}; there are {', '.join(present_areas())}", file=sys.stderr)
        return 2
    figures = [figure for area in arguments or present_areas() for figure in measure(area)]
    write_json(figures, _RESULTS)
    write_page(_RESULTS)
    print_table(figures)
    return int(any(figure.meets_target is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
