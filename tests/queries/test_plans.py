"""The planner reads light curves by index and leaves out the partitions of other days.

The survey is small enough that reading all of it would be cheapest, so sequential scans are made dear: what
is asked is whether an index can serve, and whether partitions fall away.
"""

import json

import pytest
import sqlalchemy as sa

from roman_db import session, sqlfile

from .filling import DAYS, LATER_DAY, RA

#: That of LATER_DAY.
SEASON = "start_mjd >= roman.season_start('gbtds', 2) AND start_mjd < roman.season_end('gbtds', 2)"
JOINS = {"Nested Loop", "Hash Join", "Merge Join"}
CONE = f"q3c_radial_query(ra, dec, {RA}, -30.01758, 5.0 / 3600)"


def plan_of(sql: str, analyze: bool = True) -> list[dict]:
    """Nodes of the plan, with what became of each."""
    with session.reading() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        text = connection.exec_driver_sql(
            f"EXPLAIN (FORMAT json{', ANALYZE' if analyze else ''}) {sql}"
        ).scalar_one()
    root = text if isinstance(text, list) else json.loads(text)
    return list(nodes(root[0]["Plan"]))


def nodes(plan: dict):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scans(plan: list[dict]) -> list[dict]:
    """Reads of light-curve segments that took place."""
    return [
        node for node in plan
        if node.get("Relation Name", "").startswith("light_curve_segment") and node.get("Actual Loops", 1) > 0
    ]  # fmt: skip


def windows(plan: list[dict]) -> set[int]:
    """First days of the windows of which segments were read."""
    return {int(node["Relation Name"].split("_")[3]) for node in scans(plan)}


def window_of(day: int) -> int:
    return day - day % 8


@pytest.mark.parametrize(
    "condition",
    [
        "object_id = {object_id}",
        "object_id = ANY(ARRAY[{object_id}, {object_id} + 1])",
        f"object_id = ANY(ARRAY(SELECT object_id FROM roman.object WHERE {CONE}))",
    ],
)
@pytest.mark.parametrize("view", ["light_curve", "light_curve_array"])
def test_objects_are_read_by_the_primary_key(survey, view, condition):
    condition = condition.format(object_id=survey.object_id[3])
    plan = plan_of(f"SELECT * FROM roman.{view} WHERE {condition}")
    assert windows(plan) == {window_of(DAYS[0]), window_of(LATER_DAY)}
    for node in scans(plan):
        assert "Index" in node["Node Type"] or "Bitmap" in node["Node Type"]
        assert "object_id" in node.get("Index Cond", node.get("Recheck Cond", ""))


def test_a_cone_is_read_by_the_index_of_the_sky(survey):
    plan = plan_of(f"SELECT object_id FROM roman.object WHERE {CONE}")
    assert "object_q3c_idx" in {node.get("Index Name") for node in plan}


def test_regions_are_read_by_the_index_of_footprints(survey):
    plan = plan_of("SELECT exposure_id FROM roman.exposure WHERE footprint && '{[5,6)}'::int8multirange")
    assert "exposure_footprint_idx" in {node.get("Index Name") for node in plan}


@pytest.mark.parametrize(
    "days", [f"start_mjd >= {LATER_DAY} AND start_mjd < {LATER_DAY + 1}", SEASON], ids=["literal", "season"]
)
def test_other_seasons_are_not_looked_at(survey, days):
    sql = f"SELECT * FROM roman.light_curve WHERE object_id = {survey.object_id[3]} AND {days}"
    assert windows(plan_of(sql)) == {window_of(LATER_DAY)}


def test_a_whole_season_is_read_without_the_others(survey):
    sql = f"SELECT count(*) FROM roman.light_curve WHERE {SEASON}"
    assert windows(plan_of(sql)) == {window_of(LATER_DAY)}


def test_statistics_of_light_curves_are_not_joined_with_each_other():
    """Where the planner takes the light curves for one, a join of all with all is what it would choose."""
    values = {
        "season": 1, "photometry_kind": "psf", "from_mjd": DAYS[0], "to_mjd": LATER_DAY, "first_object": 0,
        "last_object": 2**62, "load_run_id": 1, "threshold": 5.0,
    }  # fmt: skip
    job = sqlfile.find("jobs", "variability")
    with session.transaction(session.Role.OWNER) as connection:
        connection.exec_driver_sql("SELECT ops.open_variability_season(1::smallint)")
        text = connection.execute(sa.text(f"EXPLAIN (FORMAT json) {job.text}"), values).scalar_one()
    joins = [node for node in nodes(text[0]["Plan"]) if node["Node Type"] in JOINS]
    assert joins
    for join in joins:
        sides = [{node["Node Type"] for node in nodes(side)} for side in join["Plans"]]
        assert sum("Aggregate" in side for side in sides) < 2
