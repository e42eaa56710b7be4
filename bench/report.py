"""``docs/performance.md`` from ``bench/results.json``: every figure beside its target and its peer."""

from __future__ import annotations

import json
from pathlib import Path

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

_HEAD = """\
# Performance

Written by `make bench` from what it measured: each area with the date and the machine of its run. Peers did
the same work in the same run. The files on which accuracy is measured: [testing](developer/testing.md#data).

Machines that are shared vary by a factor of up to two from one minute to the next: compare a figure with its
peer rather than with a figure of another day.
"""

_TITLES = {
    "photometry": "Photometry and PSF",
    "storage": "Storage",
    "reference": "Reference images",
    "season": "Season",
    "adql": "Translation of ADQL",
    "tap": "TAP",
    "archive": "Archive",
    "spectra": "Spectra",
}


def write_page(results: Path, page: Path = _PAGE) -> None:
    """Write the page; areas in the order of the file."""
    rows = json.loads(results.read_text())
    parts = [_HEAD]
    for area in dict.fromkeys(row["area"] for row in rows):
        mine = [row for row in rows if row["area"] == area]
        parts.append(f"\n## {_TITLES.get(area, area)}\n\n{_origin(mine)}\n\n{_table(mine)}")
    page.write_text("".join(parts))


def _origin(rows: list[dict]) -> str:
    """When and where an area was measured; results of earlier releases do not say on which machine."""
    known = dict.fromkeys((row["date"], row.get("machine", "a machine not recorded")) for row in rows)
    return "Measured " + "; ".join(f"{date} on {machine}" for date, machine in known) + "."


def _table(rows: list[dict]) -> str:
    head = "| figure | value | target | | peer | its value |\n|---|--:|--:|---|---|--:|\n"
    return head + "".join(_line(row) for row in rows)


def _line(row: dict) -> str:
    bound = {"max": "≥", "min": "≤"}[row["sense"]]
    target = "" if row["target"] is None else f"{bound} {_number(row['target'])}"
    peer_value = "" if row["peer_value"] is None else _number(row["peer_value"])
    value = f"{_number(row['value'])} {row['unit']}".strip()
    cells = (row["name"].replace("|", "\\|"), value, target, _verdict(row), row["peer"] or "", peer_value)
    return f"| {' | '.join(cells)} |\n"


def _verdict(row: dict) -> str:
    if row["target"] is None:
        return ""
    met = row["value"] >= row["target"] if row["sense"] == "max" else row["value"] <= row["target"]
    return "met" if met else "**missed**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
