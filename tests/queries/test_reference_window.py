"""A span of days has its reference image when it is over: by an exposure, clock or season."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from roman_db import session, sqlfile
from tests.queries.filling import LATER_DAY

TODAY = "SELECT floor(extract(epoch FROM now()) / 86400)::integer + 40587"
#: All exposures of the first season are of long ago; those of the second are of a given day.
MOVED = (
    "ALTER TABLE roman.exposure DROP CONSTRAINT exposure_detector_day_check",
    "UPDATE roman.season SET start_mjd = start_mjd - 400, end_mjd = end_mjd - 400 WHERE season = 1",
    f"UPDATE roman.exposure SET day_mjd = day_mjd - 400 WHERE day_mjd < {LATER_DAY}",
    f"UPDATE roman.exposure SET day_mjd = :day WHERE day_mjd = {LATER_DAY}",
    "UPDATE roman.season SET start_mjd = :start, end_mjd = :end WHERE season = 2",
)


@pytest.mark.parametrize(
    ("start", "end", "elements"),
    [(-4, 20, []), (-4, 0, ["F087", "F146"]), (-9, 20, ["F146"]), (-7, 20, [])],
)
def test_a_span_is_complete_once_it_or_its_season_is_over(own_survey, start, end, elements):
    """Begin and end of the season are days from today; the exposures are of its second day."""
    with session.transaction(session.Role.OWNER) as connection:
        today = connection.execute(sa.text(TODAY)).scalar_one()
        days = {"start": today + start, "end": today + end, "day": today + start + 1}
        for statement in MOVED:
            connection.execute(sa.text(statement), days)
    file = sqlfile.find("jobs", "reference_window")
    given = {parameter.name: None for parameter in file.parameters}
    given |= {"unfinished": False, "redo": False, "min_star": 1, "max_chi2": 1.0, "max_residual": 1.0}
    with session.reading() as connection:
        found = sqlfile.run(connection, file, given).all()
    assert [one.optical_element for one in found if one.season == 2] == elements
    assert {one.season for one in found} == ({1, 2} if elements else {1})
