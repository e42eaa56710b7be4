"""``python -m bench [--data FOLDER] [area ...]``: measure, print, keep what was found in ``results.json``.

An area that takes hours has parts, which can be measured by themselves: ``season.planets``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
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


def parts_of(area: str) -> dict[str, Callable[[], Iterable[Figure]]]:
    """What can be measured of an area by itself; nothing of most."""
    return dict(getattr(importlib.import_module(f"bench.{area}"), "PARTS", {}))


def known_names() -> list[str]:
    """Areas, and areas with a part."""
    areas = present_areas()
    return areas + [f"{area}.{part}" for area in areas for part in parts_of(area)]


def measure(name: str) -> Iterator[Figure]:
    """Figures of an area or of a part of one, each told and kept as it is measured.

    Those that an area had before go at its end; those of a part stay, unless they are measured again.
    """
    area, _, part = name.partition(".")
    found = parts_of(area)[part]() if part else importlib.import_module(f"bench.{area}").figures()
    measured: list[Figure] = []
    for figure in found:
        print(f"{area}: {figure.name}: {figure.value:,.4g} {figure.unit}", file=sys.stderr, flush=True)
        measured.append(figure)
        write_json(measured, _RESULTS, {figure.name for figure in measured})
        yield figure
    if not part:
        write_json(measured, _RESULTS)
    write_page(_RESULTS)


def _parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure beside a peer or a limit.")
    parser.add_argument("area", nargs="*", help=f"what to measure, of {', '.join(known_names())}")
    where = "folder that holds romanisim_l2, the files of romanisim with their truth; default: %(default)s"
    parser.add_argument("--data", type=Path, default=BESIDE, metavar="FOLDER", help=where)
    parser.add_argument("--scale", type=float, default=1.0, help="size of what archive measures; default: 1")
    return parser


def main(arguments: list[str]) -> int:
    """Measure the areas that are named, or all; return 1 if a target is missed."""
    chosen = _parser().parse_args(arguments)
    if unknown := sorted(set(chosen.area) - set(known_names())):
        print(f"no such area: {', '.join(unknown)}; there are {', '.join(known_names())}", file=sys.stderr)
        return 2
    use_folder(chosen.data)
    use_scale(chosen.scale)
    figures = [figure for area in chosen.area or present_areas() for figure in measure(area)]
    print_table(figures)
    return int(any(figure.meets_target is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
