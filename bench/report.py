"""``docs/performance.md`` from ``bench/results.json``: every figure beside its target and its peer."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import psutil

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

_HEAD = """\
# Performance

Written by `make bench` from what it measured; each figure has the date of its run. Peers did the same work
in the same run. Machine of the latest run: {machine}.

Machines that are shared vary by a factor of up to two from one minute to the next: compare a figure with its
peer rather than with a figure of another day.
"""

_TITLES = {
    "photometry": "Photometry and PSF",
    "storage": "Storage",
    "reference": "Reference images",
    "season": "Season",
    "tap": "TAP",
    "archive": "Archive",
    "spectra": "Spectra",
}


def machine() -> str:
    """Processor, cores and memory of this machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = psutil.virtual_memory().total / 2**30
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def write_page(results: Path, page: Path = _PAGE) -> None:
    """Write the page; areas in the order of the file."""
    rows = json.loads(results.read_text())
    parts = [_HEAD.format(machine=machine())]
    for area in dict.fromkeys(row["area"] for row in rows):
        mine = [row for row in rows if row["area"] == area]
        parts.append(f"\n## {_TITLES.get(area, area)}\n\n" + _table(mine))
    page.write_text("".join(parts))


def _table(rows: list[dict]) -> str:
    head = "| figure | value | target | | peer | its value | date |\n|---|--:|--:|---|---|--:|---|\n"
    return head + "".join(_line(row) for row in rows)


def _line(row: dict) -> str:
    bound = {"max": "≥", "min": "≤"}[row["sense"]]
    target = "" if row["target"] is None else f"{bound} {_number(row['target'])}"
    peer_value = "" if row["peer_value"] is None else _number(row["peer_value"])
    value = f"{_number(row['value'])} {row['unit']}".strip()
    cells = (row["name"].replace("|", "\\|"), value, target, _verdict(row), row["peer"] or "", peer_value)
    return f"| {' | '.join(cells)} | {row['date']} |\n"


def _verdict(row: dict) -> str:
    if row["target"] is None:
        return ""
    met = row["value"] >= row["target"] if row["sense"] == "max" else row["value"] <= row["target"]
    return "met" if met else "**missed**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
