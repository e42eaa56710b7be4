"""Light curves, variables and events as collections, opened by LSDB, held against the database's views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from astropy import units as u
from hats.io.validation import is_valid_collection
from pyarrow import parquet

from roman_db import session
from roman_db.archive.hats.statistics import flux_statistics, tile_files

from ....queries.filling import DEC, EXCLUDING, FLAGGED, N_OBJECT, RA, UNMEASURED
from .peer import QUIET, lsdb

pytestmark = [QUIET, pytest.mark.heavy]
POINTS = """
SELECT object_id, optical_element, exposure_id, midpoint_mjd_tdb, midpoint_bjd_tdb, flux, flux_err, flags
FROM roman.light_curve ORDER BY object_id, optical_element, midpoint_mjd_tdb
"""
#: Of all blocks of an object, by the sums that each has.
SUMMARIES = """
SELECT s.object_id, b.optical_element, sum(s.n_point) AS n_point,
       sum(sum_weight * mean_flux) / sum(sum_weight) AS weighted_mean_flux,
       sum(weighted_m2 + sum_weight * mean_flux ^ 2)
           - sum(sum_weight * mean_flux) ^ 2 / sum(sum_weight) AS chi2,
       min(min_flux) AS min_flux, max(max_flux) AS max_flux,
       sum(s.n_point * unweighted_mean) / sum(s.n_point) AS mean_flux
FROM roman.light_curve_summary s JOIN roman.light_curve_block b USING (block_id)
GROUP BY s.object_id, b.optical_element ORDER BY s.object_id, b.optical_element
"""


def rows(query: str) -> list[dict]:
    with session.reading() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


@pytest.fixture
def collection(hats, own_survey, tmp_path) -> Path:
    """Light curves on several tiles."""
    assert hats("light-curves", "--limit", 600, "--margin", 1).exit_code == 0
    return tmp_path / "light-curves"


def test_points_are_those_of_the_view(collection, own_survey):
    assert is_valid_collection(collection, strict=True)
    opened = lsdb.open_catalog(collection)
    assert len(opened.get_healpix_pixels()) > 3
    found = opened.compute()
    assert len(found) == N_OBJECT
    nested = found.set_index("object_id")["light_curve"]
    points = nested.nest.to_flat().reset_index()
    points = points.sort_values(["object_id", "optical_element", "midpoint_mjd_tdb"])
    stored = rows(POINTS)
    for name in stored[0]:
        theirs = np.array([row[name] for row in stored])
        # The driver reads the shortest decimal of a single-precision number as a double one.
        kind = np.float32 if name in ("flux", "flux_err") else theirs.dtype
        mine, theirs = points[name].to_numpy().astype(kind), theirs.astype(kind)
        assert np.array_equal(mine, theirs, equal_nan=theirs.dtype.kind == "f"), name
    # One point was not measured and has a flag: it stays, without a flux.
    assert np.isnan(np.array([row["flux"] for row in stored], float)).sum() > 0
    assert {own_survey.object_id[UNMEASURED], own_survey.object_id[FLAGGED]} <= {
        row["object_id"] for row in stored if row["flags"]
    }


def test_light_curves_join_objects(collection, hats, own_survey, tmp_path):
    """On tiles of their own, in a cone, with one column of the points alone."""
    hats("objects", "--limit", 20)
    objects = lsdb.open_catalog(tmp_path / "objects")
    curves = lsdb.open_catalog(collection, columns=["object_id", "light_curve.flux"])
    cone = objects.cone_search(RA, DEC, 12)
    joined = cone.join(
        curves, left_on="object_id", right_on="object_id", suffixes=("", "_curve"),
        suffix_method="overlapping_columns",
    ).compute()  # fmt: skip
    centre = np.cos(np.radians(DEC)) * (own_survey.ra - RA), own_survey.dec - DEC
    inside = own_survey.object_id[np.hypot(*centre) * 3600 < 12]
    assert sorted(joined["object_id"]) == inside.tolist()
    brightest = joined.set_index("object_id")["light_curve"].nest.to_flat()["flux"]
    assert set(brightest.index) == set(inside)


def test_fields_say_their_units(collection):
    schema = parquet.read_schema(collection / "light-curves_0001/dataset/_common_metadata")
    point = {field.name: field.metadata for field in schema.field("light_curve").type}
    assert u.Unit(point["flux"][b"unit"].decode()) == u.nJy
    assert schema.field("ra").metadata[b"unit"] == b"deg"


def test_statistics_of_files_are_those_of_the_database(collection):
    found = flux_statistics(tile_files(collection), EXCLUDING).sort_by(
        [("object_id", "ascending"), ("optical_element", "ascending")]
    )
    stored = rows(SUMMARIES)
    assert found["object_id"].to_pylist() == [row["object_id"] for row in stored]
    assert found["n_point"].to_pylist() == [row["n_point"] for row in stored]
    for name in ("mean_flux", "weighted_mean_flux", "chi2", "min_flux", "max_flux"):
        assert found[name].to_pylist() == pytest.approx([float(row[name]) for row in stored], rel=1e-6), name


def test_a_further_season_changes_the_tiles_of_its_objects_alone(collection, hats, own_survey, tmp_path):
    before = sum(1 for _ in collection.glob("light-curves_0001/dataset/*/*/Npix*"))
    one = int(own_survey.object_id[3])
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql(f"DELETE FROM roman.light_curve_segment WHERE object_id = {one}")
    result = hats("light-curves", "--limit", 600, "--margin", 1)
    assert f"{N_OBJECT - 1} rows in {before} tiles" in result.output
    written = int(result.output.split(" of them written")[0].split()[-1])
    assert 1 <= written < before


def test_variables_and_events_are_collections(hats, described, tmp_path):
    """Rows of several seasons, with the columns of the archive's products."""
    for name, table, condition in (("variability", "variability", ""), ("events", "event", "WHERE is_event")):
        assert hats(name).exit_code == 0
        assert is_valid_collection(tmp_path / name, strict=True)
        found = lsdb.open_catalog(tmp_path / name).compute()
        key = "object_id" if name == "variability" else "event_id"
        stored = rows(f"SELECT {key} FROM roman.{table} {condition} ORDER BY {key}")
        assert sorted(found[key]) == [row[key] for row in stored]
    assert "nothing has changed" in hats("events").output
