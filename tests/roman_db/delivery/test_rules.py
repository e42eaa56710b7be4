"""When what is due, by the plans of the two centres; the expectations are reckoned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from roman_db.queue.alert import raise_alerts

from ...queries.filling import DAYS, LATER_DAY
from .conftest import ask, change

#: The days of these exposures are still to come, and are made those of a season that is over.
ANY_DAY = "ALTER TABLE roman.exposure DROP CONSTRAINT exposure_detector_day_check"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def due(rule: str) -> dict[tuple[int, int], dict]:
    """What is due by a rule, by season and first day."""
    names = ("season", "start_mjd", "end_mjd", "clock_at", "complete_at", "due_at", "status", "margin")
    rows = ask(f"SELECT {', '.join(names)} FROM ops.delivery_due WHERE rule = :rule", rule=rule)
    return {row[:2]: dict(zip(names, row, strict=True)) for row in rows}


def received() -> datetime:
    return ask("SELECT max(started_at) FROM ops.load_run JOIN ops.input_file USING (load_run_id)")[0][0]


def day_of(mjd: int) -> datetime:
    return datetime(1858, 11, 17, tzinfo=UTC) + mjd * DAY


def months_later(start: datetime, months: int) -> datetime:
    month = start.month - 1 + months
    return start.replace(year=start.year + month // 12, month=month % 12 + 1)


def test_each_rule_of_the_plans_is_kept(outbox):
    at = received()
    days = due("daily")
    assert set(days) == {(1, day) for day in DAYS} | {(2, LATER_DAY)}
    assert {one["due_at"] for one in days.values()} == {at + 48 * HOUR}
    assert {one["complete_at"] for one in days.values()} == {at + 12 * HOUR}
    periods = due("eight-day")
    assert {(key, one["end_mjd"], one["due_at"]) for key, one in periods.items()} == {
        ((1, 61456), 61464, day_of(61464) + 2 * DAY),
        ((2, 61636), 61644, day_of(61644) + 2 * DAY),
    }
    ends = {1: day_of(61520), 2: day_of(61708)}
    for rule, goal in (("season", 2), ("completeness", None), ("release", None)):
        for (season, _), one in due(rule).items():
            assert one["clock_at"] == ends[season]
            assert one["due_at"] == months_later(ends[season], 6)
            assert one["complete_at"] == (goal and months_later(ends[season], goal))
    (survey,) = due("survey").values()
    assert survey["due_at"] == months_later(day_of(62981), 6)


def test_a_season_that_is_over_is_due_after_its_last_input(outbox):
    change(
        "UPDATE roman.season SET start_mjd = start_mjd - 480, end_mjd = end_mjd - 480 WHERE season = 1",
        ANY_DAY,
        "UPDATE roman.exposure SET day_mjd = day_mjd - 480 WHERE day_mjd < 61500",
    )
    (one,) = [row for key, row in due("season").items() if key[0] == 1]
    assert one["clock_at"] == received()
    assert one["due_at"] == months_later(received(), 6)


def test_eight_days_are_due_when_they_are_over_and_those_at_the_end_of_a_season_with_it(outbox):
    """The season ends on the third of its second eight days, before the last input is received."""
    change(
        "UPDATE roman.season SET start_mjd = 60964, end_mjd = 60975 WHERE season = 1",
        ANY_DAY,
        f"UPDATE roman.exposure SET day_mjd = day_mjd - {DAYS[0] - 60972} WHERE day_mjd < 61500",
    )
    one = due("eight-day")[1, 60972]
    assert (one["end_mjd"], one["clock_at"], one["due_at"]) == (60975, received(), received() + 2 * DAY)
    change("UPDATE ops.load_run SET started_at = '2025-10-26'")
    assert due("eight-day")[1, 60972]["due_at"] == day_of(60975) + 2 * DAY


@pytest.mark.parametrize("over_h", [-2, 2])
def test_nothing_is_due_in_the_first_days_and_the_backlog_after_them(outbox, run, over_h):
    """The first days of the first season end in two hours, or ended two hours ago."""
    change(
        "UPDATE roman.season SET start_mjd = start_mjd - 400, end_mjd = end_mjd - 400",
        ANY_DAY,
        "UPDATE roman.exposure SET day_mjd = day_mjd - 400",
        "UPDATE ops.delivery_rule SET hold = now() - interval "
        f"'{over_h} hours' - to_timestamp((61048 - 40587) * 86400.0) WHERE rule = 'daily'",
    )
    hold = "SELECT to_timestamp((61048 - 40587) * 86400.0) + hold FROM ops.delivery_rule"
    until = ask(f"{hold} WHERE rule = 'daily'")
    one = due("daily")[1, DAYS[0] - 400]
    assert (one["clock_at"], one["due_at"]) == (until[0][0], until[0][0] + 48 * HOUR)
    assert one["status"] == ("held" if over_h < 0 else "due")
    done = run("make", "daily", "--season", 1, "--day", DAYS[0] - 400)
    assert ("nothing of it is delivered before" in done.output) == (over_h < 0)


def test_what_is_late_and_what_failed_is_raised_once(outbox):
    change("UPDATE ops.load_run SET started_at = started_at - interval '2 days'")
    one = due("daily")[1, DAYS[0]]
    assert one["status"] == "late"
    assert -25 * HOUR < one["margin"] <= -24 * HOUR
    raise_alerts()
    raise_alerts()
    late = (
        "SELECT subject FROM ops.alert WHERE kind = 'delivery_late' AND cleared_at IS NULL ORDER BY subject"
    )
    assert (f"daily gbtds 1 {DAYS[0]}",) in ask(late)
    assert len(ask(late)) == 4
    change(
        "INSERT INTO ops.delivery (name, rule, survey, season, start_mjd, end_mjd, version, is_partial, "
        "state, message, load_run_id) "
        f"SELECT 'x', 'daily', 'gbtds', 1, {DAYS[0]}, {DAYS[0] + 1}, 1, false, 'refused', 'no such keyword', "
        "max(load_run_id) FROM ops.load_run"
    )
    raise_alerts()
    failed = ask("SELECT message FROM ops.alert WHERE kind = 'delivery_failed'")
    assert len(failed) == 1
    assert "no such keyword" in failed[0][0]
    change("UPDATE ops.load_run SET started_at = now()")
    raise_alerts()
    assert ask(late) == []
