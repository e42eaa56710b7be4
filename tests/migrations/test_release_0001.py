"""A filled database of the release before comes through the upgrade to this one with all its rows.

``release_0001.sql.xz`` was written by that release itself: at revision 0001 its commands simulated eight
exposures of 32 x 32 pixels, refused a ninth, loaded a catalog and a later version of it, photometered all
twice and compacted the days. The stamps of PSFs are cut to their middle, so that the file is small, and the
paths and the host are others. It is never made anew: data of users are not either.
"""

from __future__ import annotations

import json

import pytest

from roman_db import migrate, session
from roman_db.query.audit import chosen, run_audits
from roman_db.query.light_curve import find_object, read_light_curve
from tests.migrations.frozen import ADDED_TO, DEFINED, FROZEN, everything, tables
from tests.roman_db.conftest import execute

_POINTS = """
SELECT object_id, optical_element, photometry_kind, midpoint_bjd_tdb, flux::text, flux_err::text, flags
FROM roman.light_curve ORDER BY object_id, midpoint_bjd_tdb
"""

#: Of a metric that was stored more than once of an exposure or a block, revision 0002 keeps the last.
_LAST_METRICS = """
SELECT quality_metric_id FROM ops.quality_metric t WHERE NOT EXISTS (
    SELECT FROM ops.quality_metric later
    WHERE later.metric = t.metric AND later.quality_metric_id > t.quality_metric_id
      AND (later.exposure_id = t.exposure_id
           OR later.exposure_id IS NULL AND t.exposure_id IS NULL AND later.block_id = t.block_id))
"""


def test_the_release_before_has_data_in_all_its_tables(old_release):
    assert FROZEN.stat().st_size < 300_000
    assert execute(old_release, "SELECT version_num FROM ops.alembic_version") == [("0001",)]
    assert [name for name, found in everything(old_release, tables(old_release)).items() if not found] == []


def test_all_rows_come_through_the_upgrade(old_release):
    columns = tables(old_release)
    before, points = everything(old_release, columns), execute(old_release, _POINTS)
    last_metrics = {number for (number,) in execute(old_release, _LAST_METRICS)}
    migrate.upgrade()
    migrate.ensure_current()
    now = tables(old_release)
    assert set(before) <= set(now)
    kept = {name: columns[name] & now[name] for name in columns}
    assert kept == columns  # no revision has taken a column away
    after = everything(old_release, kept)
    for name, stored in before.items():
        if name in DEFINED:
            assert len(after[name]) >= len(stored), name
        elif name in ADDED_TO:
            assert set(stored) <= set(after[name]), name
        elif name == "ops.quality_metric":
            last = [row for row in stored if json.loads(row)["quality_metric_id"] in last_metrics]
            assert after[name] == last
            assert len(last) < len(stored)
        else:
            assert after[name] == stored, name
    assert execute(old_release, _POINTS) == points
    assert len(points) > 200


@pytest.mark.heavy
def test_the_upgraded_database_is_sound_and_can_be_read(old_release):
    migrate.upgrade()
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    stored = execute(
        old_release,
        "SELECT object_id, flux::text FROM roman.light_curve WHERE flags = 0 "
        "ORDER BY object_id, midpoint_bjd_tdb",
    )
    for object_id in sorted({one for one, _ in stored})[:3]:
        (series,) = read_light_curve(find_object(object_id)).series
        expected = [float(flux) for one, flux in stored if one == object_id]
        assert series.flux[series.is_good].tolist() == pytest.approx(expected, rel=1e-6)
    session.engine().dispose()
