"""Two surveys have seasons of the same numbers: what is exported of one has no rows of the other."""

import pytest

from roman_db import session, sqlfile
from roman_db.archive.product import find
from roman_db.archive.request import Scope
from roman_db.archive.storage import open_content, read_keywords
from roman_db.session import Role

from .test_export import DAYS, INJECTED, MEASURED

OTHER = "gbtds-drm"
_FIELD = f"(SELECT min(field_id) FROM roman.field WHERE survey = '{OTHER}')"
#: Light curves of the first day are of a field of the other survey. Objects of even number have none of that
#: day, the others no other ones; of injections those of even number are into the other survey.
SHARED = (
    f"UPDATE roman.light_curve_block SET field_id = {_FIELD} WHERE start_mjd = {DAYS[0]}",
    f"DELETE FROM roman.light_curve_summary WHERE (start_mjd = {DAYS[0]}) = (object_id % 2 = 0)",
    f"UPDATE roman.injected_event SET field_id = {_FIELD} WHERE injected_event_id % 2 = 0",
    f"""
    UPDATE ops.task_run SET arguments = arguments || jsonb_build_object('survey', '{OTHER}')
    WHERE task = 'season_quality' AND load_run_id = (
        SELECT max(load_run_id) FROM ops.task_run
        WHERE task = 'season_quality' AND arguments ->> 'season' = '1'
    )
    """,
)


@pytest.fixture
def shared(described):
    """The survey with a season of another one on the same days, injections and quality of both."""
    with session.transaction(Role.OWNER) as connection:
        for statement in (*INJECTED, *MEASURED, *SHARED):
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def column(product, survey, name, **scope):
    with open_content(find(product), Scope(1, survey, **scope)) as result:
        return [value for batch in result.batches for value in batch.column(name).to_pylist()]


def stored(query, name=0):
    with session.engine().connect() as connection:
        found = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
        return list(found.scalars(name))


@pytest.mark.parametrize(
    ("product", "everything"),
    [
        ("variability_catalog", "SELECT object_id FROM roman.variability ORDER BY 1"),
        ("event_catalog", "SELECT object_id FROM roman.event WHERE is_event ORDER BY event_id"),
    ],
)
def test_objects_are_of_the_survey_that_has_light_curves_of_them(shared, product, everything):
    every = stored(everything)
    assert column(product, "gbtds", "object_id") == [one for one in every if one % 2 == 0]
    assert column(product, OTHER, "object_id") == [one for one in every if one % 2 == 1]
    assert {one % 2 for one in every} == {0, 1}


@pytest.mark.parametrize(("survey", "rest"), [("gbtds", 0), (OTHER, 1)])
def test_what_is_frozen_is_of_the_survey(shared, survey, rest):
    def frozen(name, column):
        return stored(sqlfile.find("releases", name).bind({"survey": survey, "season": 1}), column)

    assert {one % 2 for one in frozen("variability", "object_id")} == {rest}
    assert {one % 2 for one in frozen("event", "object_id")} == {rest}
    modelled = set(stored("SELECT event_id FROM roman.event_model"))
    assert set(frozen("event_model", "event_id")) == modelled & set(frozen("event", "event_id"))


def test_the_blocks_of_other_surveys_are_asked_for_once(shared):
    rows = sqlfile.find("releases", "variability").bind({"survey": "gbtds", "season": 1})
    plan = "\n".join(stored(f"EXPLAIN {rows}"))
    assert "Function Scan" not in plan
    assert "InitPlan" in plan


def test_injections_are_of_the_survey_of_their_field(shared):
    scope = {"medium": "lightcurve"}
    for survey, rest in (("gbtds", 1), (OTHER, 0)):
        found = column("detection_efficiency_catalog", survey, "injected_event_id", **scope)
        assert found == [number for number in range(1, 41) if number % 2 == rest]
        keywords = read_keywords(find("detection_efficiency_catalog"), Scope(1, survey, **scope))
        assert sum(keywords[f"{kind}_count"] for kind in ("tp", "fp", "tn", "fn")) == len(found)
    with session.reading() as connection:
        statement = sqlfile.find("jobs", "delivery_medium")
        media = {
            survey: list(sqlfile.run(connection, statement, {"survey": survey, "season": 1}).scalars())
            for survey in ("gbtds", OTHER, "none")
        }
    assert media == {"gbtds": ["lightcurve"], OTHER: ["lightcurve"], "none": []}


def test_quality_is_that_of_the_survey(shared):
    values = {survey: column("dqa_events_level_4", survey, "value") for survey in ("gbtds", OTHER)}
    assert values == {"gbtds": [-1.0], OTHER: [1 / 3]}
    assert stored("SELECT count(*) FROM ops.season_quality WHERE season = 1") == [4]
