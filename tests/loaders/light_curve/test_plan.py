"""The planner finds one object by index and leaves alone the windows that a query does not ask for."""

import re

import numpy as np
import pytest
import sqlalchemy as sa

from roman_db import session
from tests.loaders.light_curve.synthetic import FIRST_DAY, epochs, fluxes, key, object_ids, write
from tests.roman_db.conftest import databases


@pytest.fixture(scope="module", params=["fresh", "analyzed"], autouse=True)
def filled(request, cluster_url, upgraded_template):
    """Five windows of 3000 objects, two of them in a season, without and with statistics for the planner."""
    ones = np.ones((3000, 3), "f4")
    with (
        pytest.MonkeyPatch.context() as patch,
        databases(cluster_url, upgraded_template, patch) as make,
    ):
        make()
        for day in range(FIRST_DAY, FIRST_DAY + 40, 8):
            write(key(day), epochs(day, 3), fluxes(object_ids(3000), ones, ones, np.zeros((3000, 3), "u2")))
        with session.transaction(session.Role.OWNER) as connection:
            connection.execute(sa.text("INSERT INTO roman.survey VALUES ('s', 's')"))
            connection.execute(
                sa.text(f"INSERT INTO roman.season VALUES ('s', 1, {FIRST_DAY}, {FIRST_DAY + 10})")
            )
            if request.param == "analyzed":
                connection.execute(sa.text("ANALYZE roman.light_curve_segment, roman.light_curve_summary"))
        yield


def plan(query: str) -> str:
    with session.reading() as connection:
        return "\n".join(connection.execute(sa.text(f"EXPLAIN (ANALYZE, TIMING OFF) {query}")).scalars())


def windows_read(plan: str) -> set[int]:
    """First days of the windows whose rows a plan reads."""
    scans = re.findall(r"Scan.* on light_curve_(?:segment|summary)_(\d+)_\d+_g\d+\S* .*\n?.*", plan)
    return {int(day) for day in scans}


@pytest.mark.parametrize("view", ["light_curve", "light_curve_array", "light_curve_summary"])
@pytest.mark.parametrize(
    "condition",
    [
        "object_id = 1000000000000007000",
        "object_id = ANY(ARRAY(SELECT 1000000000000000000 + 1000 * generate_series(1, 5)))",
        "object_id = ANY('{1000000000000001000,1000000000000002000}')",
    ],
)
def test_objects_are_found_by_index(view, condition):
    found = plan(f"SELECT * FROM roman.{view} WHERE {condition}")
    assert not re.search(r"Seq Scan on light_curve_s", found), found
    assert re.search(r"Index Scan using light_curve_s|Bitmap Index Scan on light_curve_s", found), found
    assert len(windows_read(found)) == 5


@pytest.mark.parametrize("view", ["light_curve", "light_curve_summary"])
@pytest.mark.parametrize(
    ("condition", "windows"),
    [
        (f"start_mjd >= {FIRST_DAY + 8} AND start_mjd < {FIRST_DAY + 16}", {FIRST_DAY + 8}),
        (f"start_mjd BETWEEN {FIRST_DAY} AND {FIRST_DAY + 8}", {FIRST_DAY, FIRST_DAY + 8}),
        (
            "start_mjd >= roman.season_start('s', 1) AND start_mjd < roman.season_end('s', 1)",
            {FIRST_DAY, FIRST_DAY + 8},
        ),
    ],
)
@pytest.mark.parametrize("one_object", [True, False], ids=["object", "all"])
def test_other_windows_are_not_looked_at(view, condition, windows, one_object):
    which = "object_id = 1000000000000007000 AND " if one_object else ""
    assert windows_read(plan(f"SELECT * FROM roman.{view} WHERE {which}{condition}")) == windows
