"""The quality of a season goes to the archive with the season, and with the survey."""

from __future__ import annotations

import json

import pytest

from ..archive.test_export import MEASURED
from .conftest import ask, change

QUALITY = ("dqa_events_level_4", "dqa_photometry_level_4")


@pytest.fixture
def season_alone(outbox):
    """Of what a season delivers, its quality and one catalog, which is required."""
    change("DELETE FROM ops.delivery_content WHERE rule = 'season' AND product !~ '^(dqa|event_catalog)'")
    return outbox


def test_each_rule_with_light_curves_or_events_delivers_their_quality(outbox):
    named = "SELECT rule, product FROM ops.delivery_content WHERE product ~ 'level_4$' ORDER BY rule, product"
    assert ask(named) == [(rule, product) for rule in ("season", "survey") for product in QUALITY]


@pytest.mark.heavy
def test_the_quality_of_a_season_is_delivered_with_it(season_alone, run):
    change(*MEASURED)
    assert run("make", "season", "--season", 1).exit_code == 0
    assert run("publish", 1).exit_code == 0
    folder = next(path for path in season_alone.root.glob("gbtds_s01_season_*_v1"))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    n_row = {file["product"]: file["n_row"] for file in files if file["filename"].endswith(".parquet")}
    assert {name: n_row[name] for name in QUALITY} == dict.fromkeys(QUALITY, 1)
    stored = ask("SELECT filename FROM archive.WFIMSOSDQA ORDER BY filename")
    assert [row[0] for row in stored] == sorted(
        file["filename"] for file in files if file["product"] in QUALITY
    )
    assert len(stored) == 2 * len(QUALITY)


def test_a_season_whose_quality_was_not_measured_goes_without_and_says_so(season_alone, run):
    assert run("make", "season", "--season", 1).exit_code == 0
    left_out = ask("SELECT message FROM ops.delivery_event WHERE kind = 'left_out' ORDER BY message")
    assert [row[0] for row in left_out] == [f"there is nothing of {name} season 1" for name in QUALITY]
