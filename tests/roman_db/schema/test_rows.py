"""Rows that come with the schema."""

import csv
from itertools import combinations, pairwise

import pytest
from astropy.coordinates import SkyCoord

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


def test_each_layout_has_its_fields_and_no_pointing_belongs_to_two():
    fields = rows("roman.field")
    assert [sum(row["survey"] == name for row in fields) for name in ("gbtds", "gbtds-drm")] == [6, 7]
    centres = {row["name"]: SkyCoord(row["ra"], row["dec"], unit="deg") for row in fields}
    radius = {row["name"]: float(row["radius"]) for row in fields}
    for one, other in combinations(centres, 2):
        assert centres[one].separation(centres[other]).deg > radius[one] + radius[other]


def test_the_fields_of_the_design_reference_mission_are_where_the_published_layout_has_them():
    """Galactic longitude and latitude in degrees of layout_7f_3 (Penny et al. 2019, ApJS 241, 3)."""
    published = [
        (0.5972, -1.64), (0.1891, -1.64), (1.0053, -1.64), (1.0053, -0.85), (1.4134, -0.85),
        (-0.219, -1.64), (1.4134, -1.64),
    ]  # fmt: skip
    fields = [row for row in rows("roman.field") if row["survey"] == "gbtds-drm"]
    for row, (longitude, latitude) in zip(fields, published, strict=True):
        expected = SkyCoord(l=longitude, b=latitude, unit="deg", frame="galactic")
        assert SkyCoord(row["ra"], row["dec"], unit="deg").separation(expected).arcsec < 0.01
