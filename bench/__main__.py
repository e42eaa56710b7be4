"""``python -m bench [--data FOLDER] [area ...]``: measure, print, keep what was found in ``results.json``."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.record import Figure, print_table, write_json
from bench.report import write_page
from bench.sample import BESIDE, use_folder, use_scale

#: Areas in the order in which they are measured; each is a module with ``figures() -> Iterable[Figure]``.
AREAS = (
    "photometry",
    "storage",
    "shards",
    "reference",
    "season",
    "adql",
    "tap",
    "portal",
    "archive",
    "spectra",
)
_RESULTS = Path(__file__).with_name("results.json")


def present_areas() -> list[str]:
    """Areas of which there is a module."""
    return [area for area in AREAS if importlib.util.find_spec(f"bench.{area}")]


def measure(area: str) -> Iterator[Figure]:
    """Figures of one area, each told and kept as it is measured; those that it had before go at its end."""
    found: Iterable[Figure] = importlib.import_module(f"bench.{area}").figures()
    measured = []
    for figure in found:
        print(f"{area}: {figure.name}: {figure.value:,.4g} {figure.unit}", file=sys.stderr, flush=True)
        measured.append(figure)
        write_json(measured, _RESULTS, {figure.name for figure in measured})
        yield figure
    write_json(measured, _RESULTS)
    write_page(_RESULTS)


def _parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure beside a peer or a limit.")
    parser.add_argument("area", nargs="*", help=f"what to measure, of {', '.join(present_areas())}")
    where = "folder that holds romanisim_l2, the files of romanisim with their truth; default: %(default)s"
    parser.add_argument("--data", type=Path, default=BESIDE, metavar="FOLDER", help=where)
    parser.add_argument("--scale", type=float, default=1.0, help="size of what archive measures; default: 1")
    return parser


def main(arguments: list[str]) -> int:
    """Measure the areas that are named, or all; return 1 if a target is missed."""
    chosen = _parser().parse_args(arguments)
    if unknown := sorted(set(chosen.area) - set(present_areas())):
        print(f"no such area: {', '.join(unknown)}; there are {', '.join(present_areas())}", file=sys.stderr)
        return 2
    use_folder(chosen.data)
    use_scale(chosen.scale)
    figures = [figure for area in chosen.area or present_areas() for figure in measure(area)]
    print_table(figures)
    return int(any(figure.meets_target is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
