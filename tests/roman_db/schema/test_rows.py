"""Rows that come with the schema."""

import csv
from itertools import pairwise

import pytest

from loaders.photometry.flags import PhotometryFlag
from roman_db.resources import folder
from roman_db.schema.metadata import metadata
from tests.roman_db.conftest import execute


def rows(name):
    with (folder("schema") / "rows" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_photometry_flags_are_those_that_photometry_sets():
    stored = {int(row["bit"]): (row["name"], row["description"]) for row in rows("roman.photometry_flag")}
    assert stored == {flag.value.bit_length() - 1: (flag.name, flag.description) for flag in PhotometryFlag}


@pytest.mark.parametrize(
    "path", sorted((folder("schema") / "rows").glob("*.csv")), ids=lambda path: path.stem
)
def test_every_row_is_stored(database, path):
    names = path.read_text().splitlines()[0].split(",")
    assert set(names) <= set(metadata().tables[path.stem].columns.keys())
    assert execute(database, f"SELECT count(*) FROM {path.stem}") == [(len(rows(path.stem)),)]


def test_optical_elements_and_limits_are_named_as_elsewhere():
    elements = {row["optical_element"] for row in rows("roman.optical_element")}
    assert {row["optical_element"] for row in rows("roman.cadence")} <= elements
    assert {row["optical_element"] for row in rows("ops.quality_limit")} <= elements | {"any"}


def test_seasons_do_not_overlap_and_have_the_lengths_of_their_survey():
    for survey, days in {"gbtds": 72, "gbtds-drm": 65}.items():
        seasons = sorted(
            (int(r["start_mjd"]), int(r["end_mjd"])) for r in rows("roman.season") if r["survey"] == survey
        )
        assert [end - start for start, end in seasons] == [days] * 6
        assert all(end <= start for (_, end), (start, _) in pairwise(seasons))
