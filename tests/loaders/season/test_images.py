"""Which exposures a season does again before its light curves are described."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.daily.tasks import PHOTOMETER
from loaders.eight_day.tasks import EIGHT_DAY
from loaders.season.load import exposure_units, moved_units, summary_of_images
from loaders.season.tasks import MOVED, SEASON, arguments
from roman_db import session, sqlfile
from roman_db.jobs import Unit
from tests.loaders.season.better_catalog import learn
from tests.queries.filling import DAYS, LATER_DAY, N_OBJECT


def moved(limit=3.0, share=0.01, before_mjd=10**6):
    with session.reading() as connection:
        values = {"photometry_kind": "psf", "limit": limit, "share": share, "before_mjd": before_mjd}
        return sqlfile.run(connection, sqlfile.find("jobs", "moved_blocks"), values).all()


def blocks():
    with session.reading() as connection:
        rows = connection.execute(sa.text("SELECT block_id, start_mjd FROM roman.light_curve_block"))
        return {row.block_id: row.start_mjd for row in rows}


def test_objects_that_moved_are_counted_by_block(own_survey):
    before = {row.block_id: row.farthest for row in moved(limit=1e-6, share=0)}
    learn(own_survey.object_id[3], dec_mas=5.0)
    found = moved()
    assert {row.block_id for row in found} == set(blocks())
    assert all(row.n_moved == 1 for row in found if row.block_id not in before)
    assert all(row.n_object == N_OBJECT for row in found)
    assert min(row.farthest for row in found) == pytest.approx(5.0, abs=1e-3)
    assert not [row for row in moved(limit=5.1) if row.block_id not in before]
    # One of sixty is less than two per cent.
    assert not [row for row in moved(share=0.02) if row.block_id not in before]


def test_a_proper_motion_counts_by_the_time_since_the_epoch(own_survey):
    with session.reading() as connection:
        query = "SELECT ref_epoch, coalesce(pm_ra, 0) AS pm FROM roman.object WHERE object_id = :object_id"
        one = connection.execute(sa.text(query), {"object_id": int(own_survey.object_id[4])}).one()
    learn(own_survey.object_id[4], pm_ra=float(one.pm) + 8.0)
    for row in moved(limit=0.01, share=0):
        years = 2000 + (row.start_mjd - 51544.5) / 365.25 - one.ref_epoch
        assert row.farthest == pytest.approx(8.0 * abs(years), abs=8.0 / 365.25)


def test_seasons_so_far_are_photometered_again(own_survey):
    learn(own_survey.object_id[3], dec_mas=50.0)
    again = moved_units(arguments("gbtds", 1, "psf", images=True))
    assert {unit.arguments["start_mjd"] for unit in again} == set(DAYS)
    assert {unit.arguments["block_id"] for unit in again} == {
        block for block, day in blocks().items() if day < LATER_DAY
    }
    assert all(unit.arguments["exposure_id"] for unit in again)
    # Of the survey, and of a later season, all earlier ones count.
    assert len(moved_units(arguments("gbtds", 2, "psf", images=True))) >= len(again)
    assert len(moved_units(arguments("gbtds", 0, "psf", images=True))) == len(blocks())
    assert moved_units(arguments("gbtds", 2, "psf", images=True, moved_limit=60.0)) == []
    assert moved_units(arguments("gbtds", 2, "psf")) == []


def test_units_are_those_of_the_days_of_the_season(own_survey):
    asked = {}

    def listed(given):
        asked.update(given)
        return [Unit(str(day), {"start_mjd": day}) for day in (*DAYS, LATER_DAY)] + [Unit("a PSF", {})]

    found = exposure_units(listed, arguments("gbtds", 1, "psf", images=True))
    assert [unit.name for unit in found] == [*map(str, DAYS), "a PSF"]
    # Days are those of roman.season; the last one is included.
    assert (asked["first_day"], asked["last_day"]) == (61448, 61519)
    assert asked["unfinished"]
    assert asked["follow_catalog"]
    assert not asked["redo"]
    assert exposure_units(listed, arguments("gbtds", 1, "psf")) == []


def test_images_come_before_light_curves():
    names = [task.name for task in SEASON.tasks]
    first = [task.name for task in EIGHT_DAY.tasks]
    of_season = ["season_reference", "catalog"]
    before = first.index("photometer")
    expected = ["divide", *first[:before], *of_season, *first[before:], "field_mosaic", "astrometry"]
    assert names[: len(expected)] == expected
    assert names[names.index("locus") - 1] == "photometer"
    assert MOVED.run is PHOTOMETER.run


def test_what_is_loaded_is_said(own_survey):
    with session.reading() as connection:
        query = "SELECT day_mjd FROM roman.exposure"
        days = np.array(connection.execute(sa.text(query)).scalars().all())
    number = int(np.sum((days >= 61448) & (days < 61520)))
    assert number
    assert summary_of_images(arguments("gbtds", 1, "psf", images=True)).startswith(
        f"Images: {number} exposures"
    )
    assert "no exposures" in summary_of_images(arguments("gbtds", 5, "psf", images=True))
    assert "not asked for" in summary_of_images(arguments("gbtds", 1, "psf"))
