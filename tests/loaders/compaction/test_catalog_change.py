"""Offsets of blocks that several catalog versions served are told from the latest of them."""

import dataclasses

import numpy as np
import sqlalchemy as sa

from loaders.astrometry.catalog_states import CatalogStates
from loaders.astrometry.place import CatalogAstrometry, place_at
from loaders.astrometry.stars import julian_year
from loaders.compaction.catalog_change import restate_offsets, views_of
from loaders.light_curve.block import MeasurementMatrix
from loaders.light_curve.load import write_block
from loaders.light_curve.merge import MergePlan
from roman_db import session
from tests.loaders.compaction.runs import ask, compact
from tests.loaders.light_curve.synthetic import FIRST_DAY, context, epochs, key, object_ids, photometry

NEVER = np.iinfo(np.int64).max
#: Of one object: what held until version 5, until version 9, and since.
SAID = (
    (268.0, -29.2, 2027.0, np.nan, np.nan, np.nan),
    (268.0 + 30 / 3.6e6, -29.2 - 20 / 3.6e6, 2027.5, -4.0, 3.0, 0.5),
    (268.0 + 31 / 3.6e6, -29.2 - 19 / 3.6e6, 2028.0, -5.0, 2.5, 2.0),
)


def states() -> CatalogStates:
    return CatalogStates.of_rows([(8, 5, *SAID[0]), (8, 9, *SAID[1]), (8, NEVER, *SAID[2])])


def seen_from(said, where, mjd, observer):
    """East and north offset (mas) of a direction from where the catalog has the star."""
    one = CatalogAstrometry(*(np.array([value]) for value in said))
    ra, dec = place_at(one, float(julian_year(np.array([mjd]))[0]), observer)
    east = (where[0] - ra[0]) * np.cos(np.radians(dec[0])) * 3.6e6
    return np.array([east, (where[1] - dec[0]) * 3.6e6])


def test_each_block_is_told_from_what_the_last_version_says():
    mjd = 61520 + np.arange(6) * 60.0
    ephemeris = np.full((6, 7), np.nan)
    views = views_of(mjd, ephemeris)
    # The first block used version 3, the second 6, the third 12; they take turns in time.
    plan = MergePlan(np.array([1, 2, 3]), np.array([0, 3, 1, 4, 2, 5]), np.array([0, 2, 4, 6]))
    used = np.array([0, 1, 2, 0, 1, 2])
    where = (268.0 + 25 / 3.6e6, -29.2 - 22 / 3.6e6)
    measured, wanted = (
        np.array(
            [seen_from(SAID[k], where, t, o) for k, t, o in zip(which, mjd, views.observer, strict=True)]
        )
        for which in (used, np.full(6, 2))
    )
    offsets = tuple(np.array([[np.nan] * 6, measured[:, axis]], np.float32) for axis in range(2))
    versions = (np.array([3, 6, 12]), 12)
    restate_offsets(np.array([7, 8]), offsets, plan, versions, states(), views)
    for axis in range(2):
        assert np.isnan(offsets[axis][0]).all()
        np.testing.assert_allclose(offsets[axis][1], wanted[:, axis], atol=2e-4)
    assert np.abs(measured - wanted)[used < 2].max() > 5


def test_what_was_not_measured_stays_so_and_what_is_the_same_is_not_touched():
    mjd = 61520 + np.arange(2.0)
    plan = MergePlan(np.array([1, 2]), np.array([0, 1]), np.array([0, 1, 2]))
    offsets = tuple(np.array([[np.nan, 3.0]], np.float32) for _ in range(2))
    views = views_of(mjd, np.full((2, 7), np.nan))
    restate_offsets(np.array([8]), offsets, plan, (np.array([3, 9]), 9), states(), views)
    for one in offsets:
        np.testing.assert_array_equal(one, [[np.nan, 3.0]])


def test_compaction_moves_the_offsets_of_an_object_that_the_catalog_moved(database):
    where = context()
    objects = object_ids(4)
    moved, still = int(objects[0]), int(objects[2])
    first = measured(1, objects)
    write_day(FIRST_DAY, first, where)
    newer = move(moved, where)
    second = measured(2, objects)
    write_day(FIRST_DAY + 1, second, dataclasses.replace(where, catalog_version_id=newer))
    compact()
    query = (
        "SELECT object_id, midpoint_mjd_tdb, offset_ra, offset_dec, offset_ra_err "
        "FROM roman.astrometry_curve ORDER BY 1, 2"
    )
    rows = {name: np.array([row[2:] for row in ask(query) if row[0] == name]) for name in (moved, still)}
    for row, name in enumerate((moved, still)):
        parts = [
            np.column_stack([one.astrometry.arrays[k][row] for k in range(3)]) for one in (first, second)
        ]
        step = np.array([-36.0 * np.cos(np.radians(-29.2)), 18.0, 0.0]) if name == moved else np.zeros(3)
        expected = np.concatenate([parts[0] + step, parts[1]])
        known = np.isfinite(expected).all(axis=1)
        np.testing.assert_allclose(rows[name], expected[known], atol=1e-4)
    assert ask("SELECT catalog_version_id FROM roman.light_curve_block WHERE superseded_at IS NULL") == [
        (newer,)
    ]


def measured(seed, objects):
    """Photometry in which an epoch has both offsets or none."""
    made = photometry(seed, objects, 5)
    arrays = [np.where(np.isnan(made.astrometry.arrays[0]), np.nan, one) for one in made.astrometry.arrays]
    arrays = [np.nan_to_num(one, nan=0.5) if k else one for k, one in enumerate(arrays)]
    arrays = [np.where(np.isnan(arrays[0]), np.nan, one).astype("f4") for one in arrays]
    return dataclasses.replace(made, astrometry=MeasurementMatrix(made.astrometry.object_id, arrays))


def write_day(day, photometry_of_day, where):
    with session.transaction() as connection:
        write_block(connection, key(day), epochs(day), photometry_of_day, where)


def move(object_id, where):
    """Catalog an object, and in a newer version 36 mas further in ra and 18 further south."""
    given = {"o": object_id, "v": where.catalog_version_id, "run": where.load_run_id}
    with session.transaction() as connection:
        given["new"] = connection.execute(sa.text(_NEWER), given).scalar_one()
        connection.execute(sa.text(_NOW), given)
        connection.execute(sa.text(_BEFORE), given)
    return given["new"]


_NEWER = """
    INSERT INTO roman.catalog_version (name, n_new, n_changed, n_unchanged, n_merged, load_run_id)
    VALUES ('newer', 0, 1, 0, 0, :run) RETURNING catalog_version_id
"""
_NOW = """
    INSERT INTO roman.object
        (object_id, ra, dec, ref_epoch, first_catalog_version_id, catalog_version_id, load_run_id)
    VALUES (:o, 268.0 + 36 / 3.6e6, -29.2 - 18 / 3.6e6, 2027, :v, :new, :run)
"""
_BEFORE = """
    INSERT INTO roman.object_history
        (object_id, replaced_by, ra, dec, ref_epoch, catalog_version_id, load_run_id)
    VALUES (:o, :new, 268.0, -29.2, 2027, :v, :run)
"""


def test_a_catalog_that_never_changed_its_mind_has_no_states():
    assert CatalogStates.of_rows([]).at(np.array([1, 2]), 4).tolist() == [-1, -1]
