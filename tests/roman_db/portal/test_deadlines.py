"""What is due, late and done, of made-up receipts."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from roman_db import session
from roman_db.portal.reading import rows
from tests.queries.filling import DAYS, LATER_DAY

RECEIVED = datetime.now(UTC) - timedelta(days=2)


@pytest.fixture
def change(own_survey):
    """Function that changes the database as its owner; all exposures were received two days ago."""

    def do(statement: str) -> None:
        with session.transaction(session.Role.OWNER) as connection:
            connection.exec_driver_sql(statement)

    do(f"UPDATE ops.load_run SET started_at = '{RECEIVED}'")
    return do


def found(product: str) -> dict[int, dict]:
    """Deadlines of a product by their first day."""
    listed = rows("deadlines", days=30, hours=12)
    return {one["start_mjd"]: one for one in listed if one["product"] == product}


def test_days_are_late_twelve_hours_after_receipt(change):
    daily = found("daily photometry")
    assert set(daily) == {*DAYS, LATER_DAY}
    assert {one["status"] for one in daily.values()} == {"done"}
    assert {(one["n_made"], one["n_wanted"]) for one in daily.values()} == {(27, 27)}
    change(
        "UPDATE roman.light_curve_block SET superseded_at = now() "
        f"WHERE start_mjd = {DAYS[1]} AND optical_element = 'F087'"
    )
    (daily, first) = (found("daily photometry"), rows("deadlines", days=30, hours=12)[0])
    assert Counter(one["status"] for one in daily.values()) == {"done": 3, "late": 1}
    late = daily[DAYS[1]]
    assert (late["n_made"], late["n_wanted"], late["due_at"]) == (24, 27, RECEIVED + timedelta(hours=12))
    assert (first["product"], first["start_mjd"]) == ("daily photometry", DAYS[1])
    change(f"UPDATE ops.load_run SET started_at = '{RECEIVED + timedelta(days=1.9)}'")
    assert found("daily photometry")[DAYS[1]]["status"] == "due"


def test_references_are_due_of_eight_days_of_a_season(change):
    # The first season begins on day 61448, the second on day 61636; F087 is observed seldom.
    references = found("references of eight days")
    assert {mjd: one["n_wanted"] for mjd, one in references.items()} == {61456: 1, 61636: 1}
    assert {one["due_at"] for one in references.values()} == {RECEIVED + timedelta(days=8)}
    assert {one["status"] for one in references.values()} == {"due"}
    change(
        "UPDATE roman.reference_image SET start_mjd = 61456, end_mjd = 61464 WHERE reference_image_id = "
        "(SELECT min(reference_image_id) FROM roman.reference_image "
        "WHERE superseded_at IS NULL AND optical_element = 'F146' AND reference_kind = 'span')"
    )
    assert found("references of eight days")[61456]["status"] == "done"
    change(f"UPDATE ops.load_run SET started_at = '{RECEIVED - timedelta(days=10)}'")
    assert found("references of eight days")[61636]["status"] == "late"


def test_seasons_are_due_six_months_after_they_end(change):
    change("UPDATE roman.season SET start_mjd = start_mjd - 2000, end_mjd = end_mjd - 2000")
    assert found("products of a season") == {}
    change("UPDATE roman.season SET start_mjd = start_mjd + 2000, end_mjd = end_mjd + 2000")
    seasons = found("products of a season")
    assert {one["season"] for one in seasons.values()} == {"gbtds 1", "gbtds 2"}
    ends = {61448: datetime(2027, 4, 25, tzinfo=UTC), 61636: datetime(2027, 10, 30, tzinfo=UTC)}
    for mjd, end in ends.items():
        if datetime.now(UTC) < end:
            months = (seasons[mjd]["due_at"] - end).days
            assert 181 <= months <= 184
    change(
        "INSERT INTO ops.load_run (task, arguments, state, started_at, finished_at, code_version, "
        "schema_version, host, pid, n_read, n_loaded, n_unchanged, n_rejected) "
        "SELECT 'run season', '{\"season\": 1}', 'succeeded', now(), now(), code_version, schema_version, "
        "host, pid, 0, 0, 0, 0 FROM ops.load_run LIMIT 1"
    )
    seasons = found("products of a season")
    assert {mjd: one["status"] for mjd, one in seasons.items()} == {61448: "done", 61636: "due"}
    assert seasons[61448]["last_state"] == "succeeded"
    assert seasons[61636]["last_run"] is None


def test_nothing_is_due_of_what_was_not_received(database):
    assert rows("deadlines", days=30, hours=12) == []
