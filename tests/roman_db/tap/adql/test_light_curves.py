"""Queries of the project's own tables, on a small survey."""

from __future__ import annotations

import numpy as np
import pytest

from roman_db import session
from roman_db.tap.adql import schema_catalog, translate
from tests.queries.conftest import filled_template, survey  # noqa: F401  # fixtures
from tests.queries.filling import DAYS, EPOCHS_A_DAY, LENSED, UNMEASURED


def ask(query: str) -> list[tuple]:
    sql = translate(query, schema_catalog()).sql
    with session.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql.replace("%", "%%"))]


N_POINTS = (len(DAYS) + 1) * EPOCHS_A_DAY["F146"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT l.midpoint_mjd_tdb FROM roman.object o JOIN roman.light_curve l ON l.object_id = o.object_id "
        "WHERE DISTANCE(POINT(o.ra, o.dec), POINT({ra!r}, {dec!r})) < 0.01 / 3600 AND l.optical_element "
        "= 'F146'",
        "SELECT midpoint_mjd_tdb FROM roman.light_curve WHERE optical_element = 'F146' AND object_id IN "
        "(SELECT object_id FROM roman.object WHERE CONTAINS(POINT(ra, dec), CIRCLE({ra!r}, {dec!r}, "
        "0.01 / 3600)) = 1)",
        "SELECT midpoint_mjd_tdb FROM roman.light_curve WHERE optical_element = 'F146' AND object_id = "
        "{object_id}",
    ],
)
def test_one_light_curve(survey, query):  # noqa: F811
    place = {"ra": float(survey.ra[3]), "dec": float(survey.dec[3]), "object_id": int(survey.object_id[3])}
    assert len(ask(query.format(**place))) == N_POINTS


def test_a_light_curve_as_arrays(survey):  # noqa: F811
    object_id = int(survey.object_id[LENSED])
    ((n, first, unit),) = ask(
        "SELECT roman_array_length(flux), roman_element(flux, 1), IN_UNIT(roman_element(flux, 1), 'mJy') "
        f"FROM roman.light_curve_array WHERE object_id = {object_id} AND optical_element = 'F146'"
    )
    assert n == N_POINTS
    assert unit == pytest.approx(first * 1e-6)


def test_statistics_of_points_agree_with_the_points(survey):  # noqa: F811
    rows = ask(
        "SELECT object_id, AVG(flux), COUNT(*) FROM roman.light_curve WHERE optical_element = 'F087' "
        "GROUP BY object_id"
    )
    points = ask("SELECT object_id, flux FROM roman.light_curve WHERE optical_element = 'F087' AND flux > 0")
    assert len(rows) == len(survey.object_id)
    for object_id, mean, n in rows:
        flux = [f for one, f in points if one == object_id and np.isfinite(f)]
        if object_id != survey.object_id[UNMEASURED] and len(flux) == n:
            assert mean == pytest.approx(np.mean(flux), rel=1e-6)


def test_exposures_that_cover_a_place(survey):  # noqa: F811
    place = f"{survey.ra[0]!r}, {survey.dec[0]!r}".replace("np.float64(", "").replace(")", "")
    (covered,) = ask(f"SELECT COUNT(*) FROM roman.exposure WHERE CONTAINS(POINT({place}), footprint) = 1")
    with session.reading() as connection:
        expected = connection.exec_driver_sql(
            f"SELECT count(*) FROM roman.exposure WHERE footprint @> {int(survey.object_id[0])}::bigint"
        ).scalar_one()
    assert covered == (expected,)


@pytest.mark.parametrize("table", [table.full_name for table in schema_catalog()])
def test_all_columns_of_every_table_can_be_asked_for(survey, table):  # noqa: F811
    rows = ask(f"SELECT TOP 1 * FROM {table}")
    assert len(rows) <= 1


def test_points_joined_to_their_exposures_are_those_without_a_list_of_objects(survey):  # noqa: F811
    """No exposure is read for the list, in which each object is once."""
    sql = translate(
        "SELECT l.midpoint_mjd_tdb, e.detector FROM roman.object o JOIN roman.light_curve l ON l.object_id = "
        "o.object_id JOIN roman.exposure e ON e.exposure_id = l.exposure_id WHERE "
        f"DISTANCE(o.ra, o.dec, {float(survey.ra[3])!r}, {float(survey.dec[3])!r}) < 0.01",
        schema_catalog(),
    ).sql
    plain, _, listed = sql.partition(' AND ("l"."object_id" = ANY(ARRAY(')
    chosen = listed.removesuffix(")))")
    with session.reading() as connection:
        rows, expected = (sorted(map(tuple, connection.exec_driver_sql(one))) for one in (sql, plain))
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {chosen}")]
        ids = list(connection.exec_driver_sql(chosen).scalars())
    assert rows == expected
    assert rows
    assert not any("exposure" in line for line in plan)
    assert len(ids) == len(set(ids)) > 0
