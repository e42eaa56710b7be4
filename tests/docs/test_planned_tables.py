"""The plan of later tables can be carried out: keys, parents, partitions and units hold together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import pytest
from astropy import units as u

from roman_db.schema.model import read_tables
from tests.docs.pages import ROOT

_COLUMN = re.compile(r"`(?P<name>\w+)`(?: \[(?P<unit>[^\]]+)\])?")
_NAME = re.compile(r"`([\w.]+)`")

#: Subjects that the plan must have, as the issue and the mission name them, by a table that tells.
SUBJECTS = (
    "variability", "event", "event_model",
    "object_astrometry", "extinction", "spectrum", "redshift",
    "line_measurement", "calibration_reference", "cgi_trend", "ops.delivery", "planned_visit", "ops.account",
    "relative_proper_motion", "community_product", "ivoa.obscore", "exposure_alignment",
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A row of the plan."""

    name: str
    grain: str
    key: list[str]
    parents: list[str]
    columns: dict[str, str | None]
    partitions: list[str]


def planned() -> list[Planned]:
    """Tables of the plan."""
    text = (ROOT / "docs" / "developer" / "planned_tables.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [_planned(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def _planned(name: str, grain: str, key: str, parents: str, columns: str, partitions: str) -> Planned:
    return Planned(
        name.strip("`"),
        grain,
        _NAME.findall(key),
        _NAME.findall(parents),
        {found["name"]: found["unit"] for found in _COLUMN.finditer(columns)},
        re.findall(r"\((\w+)\)", partitions),
    )


TABLES = planned()
NAMES = [table.name for table in TABLES]


@cache
def existing() -> set[str]:
    """Tables that there are, without the schema of science, which the plan leaves out."""
    return {name.removeprefix("roman.") for name in read_tables()}


def test_all_subjects_are_planned_or_there():
    assert set(SUBJECTS) <= set(NAMES) | existing()
    assert len(set(NAMES)) == len(NAMES)


def test_what_exists_is_no_longer_planned():
    """Who creates a table takes it out of the plan."""
    assert set(NAMES) & existing() == set()


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_table_is_one_that_can_be_made(table):
    assert table.grain
    assert table.key
    assert set(table.key) <= set(table.columns)
    # PostgreSQL wants the columns of the partitions in the key.
    assert set(table.partitions) <= set(table.key)
    assert set(table.parents) <= existing() | set(NAMES)
    for unit in table.columns.values():
        if unit is not None:
            u.Unit(unit, format="vounit")


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_names_are_those_of_the_field(table):
    assert all(re.fullmatch(r"[a-z][a-z_0-9]*|t_E|pi_E_[NE]", name) for name in table.columns)
    assert {unit for name, unit in table.columns.items() if name in ("ra", "dec")} <= {"deg"}
    assert {unit for name, unit in table.columns.items() if name.endswith("_flux")} <= {
        "nJy",
        "10**-20.W.m**-2",
    }
