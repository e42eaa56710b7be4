"""One measured figure, and how a list of them is printed and written."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

_WIDTH = 150
"""Columns of a table that no terminal shows."""


@dataclass(frozen=True)
class Figure:
    """A measured figure beside its target and its peer.

    ``sense`` is "max" where larger is better and "min" where smaller is. ``target`` and ``peer_value``
    are None where there is none; ``peer`` says what did the same work in the same run.
    """

    area: str
    name: str
    value: float
    unit: str
    target: float | None = None
    sense: Literal["max", "min"] = "max"
    peer: str | None = None
    peer_value: float | None = None

    @property
    def meets_target(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.sense == "max" else self.value <= self.target


def write_json(figures: Iterable[Figure], path: Path, replaced: Collection[str] | None = None) -> None:
    """Write the figures with date and machine as a JSON list, keeping those of areas not measured now.

    Of their own areas those go that have a name of ``replaced``, whatever numbers are in it; all of them
    without it.
    """
    gone = None if replaced is None else {without_numbers(name) for name in replaced}
    origin = {"date": datetime.date.today().isoformat(), "machine": machine()}
    rows = [asdict(figure) | origin for figure in figures]
    areas = {row["area"] for row in rows}
    known = json.loads(path.read_text()) if path.exists() else []
    kept = [
        row for row in known
        if row["area"] not in areas or (gone is not None and without_numbers(row["name"]) not in gone)
    ]  # fmt: skip
    path.write_text(json.dumps(kept + rows, indent=1) + "\n")


def without_numbers(name: str) -> str:
    """Name of a figure without how many there were of what it tells, which is another in each run."""
    return re.sub(r"\d[\d,]*", "#", name)


def machine() -> str:
    """Processor, cores and memory of this machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = psutil.virtual_memory().total / 2**30
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def print_table(figures: Iterable[Figure], width: int | None = None) -> None:
    """Print the figures as a table: value, target, whether it is met, and the peer's value.

    Numbers are never cut; ``width`` is that of the terminal, or `_WIDTH` where there is none, as in a file.
    """
    table = Table("area", "figure")
    for name in ("value", "unit", "target", "", "peer value"):
        table.add_column(name, no_wrap=True)
    table.add_column("peer")
    for figure in figures:
        verdict = {None: "", True: "met", False: "[red]missed[/red]"}[figure.meets_target]
        bound = {"max": "≥", "min": "≤"}[figure.sense]
        target = "" if figure.target is None else f"{bound} {figure.target:,.6g}"
        peer_value = "" if figure.peer_value is None else f"{figure.peer_value:,.4g}"
        numbers = f"{figure.value:,.4g}", figure.unit, target, verdict, peer_value
        table.add_row(figure.area, figure.name, *numbers, figure.peer or "")
    console = Console(width=width)
    if width is None and not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
