"""Schedules: each time is put into the queue once, whoever looks and however often."""

import threading

from roman_db import session
from roman_db.queue.schedule import submit_due
from tests.faults.command_line import roman_db, succeed

from ..conftest import execute
from .conftest import work_here

COMMANDS = "SELECT command FROM ops.queue_job ORDER BY job_id"


def due():
    with session.transaction() as connection:
        return submit_due(connection)


def add(url, name, command, rule):
    columns = "name, command, is_enabled, every_days, first_at, survey"
    execute(url, f"INSERT INTO ops.job_schedule ({columns}) VALUES ('{name}', '{command}', true, {rule})")


def commands(url):
    return [command for (command,) in execute(url, COMMANDS)]


def test_nothing_is_done_before_somebody_enables_it(queue):
    assert due() == []
    assert execute(queue, "SELECT name FROM ops.job_schedule ORDER BY 1") == [
        ("daily",), ("deliveries",), ("eight-day",), ("season",)
    ]  # fmt: skip


def test_what_was_missed_is_done_once_and_the_next_time_is_a_whole_period_later(queue):
    add(queue, "often", "run bench --names a", "2, now() - interval '9 days', NULL")
    assert len(due()) == 1
    assert due() == []
    late = (
        "SELECT round(extract(EPOCH FROM now() - last_due_at) / 8640) FROM ops.job_schedule WHERE is_enabled"
    )
    assert execute(queue, late) == [(10,)]
    work_here()
    execute(
        queue, "UPDATE ops.job_schedule SET first_at = first_at - interval '30 hours' WHERE name = 'often'"
    )
    assert len(due()) == 1
    assert commands(queue) == ["run bench --names a"] * 2


def test_what_still_waits_is_not_put_there_again(queue):
    add(queue, "often", "run bench --names a", "1, now() - interval '3 days', NULL")
    assert len(due()) == 1
    execute(queue, "UPDATE ops.job_schedule SET last_due_at = NULL WHERE name = 'often'")
    assert due() == []


def test_a_time_to_come_waits(queue):
    add(queue, "later", "run bench", "1, now() + interval '1 minute', NULL")
    assert due() == []


def test_each_season_that_ended_is_done(queue):
    days = "SELECT extract(EPOCH FROM now()) / 86400 + 40587"
    ((today,),) = execute(queue, days)
    execute(queue, "INSERT INTO roman.survey (survey, description) VALUES ('mine', 'for tests')")
    for season, start, end in ((1, -20, -10), (2, -8, -2), (3, 5, 20)):
        execute(
            queue,
            f"INSERT INTO roman.season VALUES ('mine', {season}, {int(today) + start}, {int(today) + end})",
        )
    add(queue, "mine", "run bench --names {season}", "NULL, NULL, 'mine'")
    due()
    assert commands(queue) == ["run bench --names 1", "run bench --names 2"]
    assert due() == []


def test_workers_that_look_at_once_submit_once(queue):
    add(queue, "often", "run bench --names a", "1, now() - interval '3 days', NULL")
    threads = [threading.Thread(target=due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert commands(queue) == ["run bench --names a"]


def test_a_worker_does_what_is_due(queue):
    add(queue, "often", "run bench --names a,b", "1, now() - interval '1 hour', NULL")
    work_here()
    assert execute(queue, "SELECT name FROM bench.unit ORDER BY 1") == [("a",), ("b",)]


def test_an_operator_changes_a_schedule(queue):
    succeed("jobs", "schedule", "daily", "--enable", "--first-at", "2026-10-02T03:00")
    assert "2026-10-02 03:00" in succeed("jobs", "schedules").out
    assert execute(queue, "SELECT is_enabled FROM ops.job_schedule WHERE name = 'daily'") == [(True,)]
    assert "no schedule 'weekly'" in roman_db("jobs", "schedule", "weekly", "--enable").err
    assert "is no command" in roman_db("jobs", "schedule", "daily", "--command", "run nothing").err
