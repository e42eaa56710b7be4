"""Days of which exposures were received are known at once, and are what reading all exposures gives."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from roman_db import session

from ...queries.filling import DAYS
from .conftest import ask, change
from .test_delivery import DAILY, DAY, SERIES, answer, status

#: When exposures of each day were last received, out of all exposures and their files.
READ_ALL = """
    SELECT e.day_mjd, max(r.started_at) FROM roman.exposure AS e
    JOIN ops.input_file AS i USING (file_id) JOIN ops.load_run AS r ON r.load_run_id = i.load_run_id
    JOIN roman.field AS f USING (field_id)
    JOIN roman.season AS s ON s.survey = f.survey AND e.day_mjd >= s.start_mjd AND e.day_mjd < s.end_mjd
    GROUP BY e.day_mjd ORDER BY e.day_mjd
"""
KNOWN = "SELECT start_mjd, received_at FROM ops.delivery_due WHERE rule = 'daily' ORDER BY start_mjd"
NEW_RUN = """
    INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid)
    VALUES ('load exposure', '{}', '1', '1', 'h', 1)
"""
NEW_FILE = """
    INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id)
    SELECT 'exposure', 'again.asdf', '/', repeat('a', 64), 1, max(load_run_id) FROM ops.load_run
"""
REPLACE = """
    UPDATE roman.exposure SET file_id = (SELECT max(file_id) FROM ops.input_file)
    WHERE exposure_id = (SELECT min(exposure_id) FROM roman.exposure WHERE day_mjd = {})
"""


def test_a_day_is_received_when_the_last_of_its_files_was(outbox):
    assert ask(KNOWN) == ask(READ_ALL)
    change(NEW_RUN, NEW_FILE, REPLACE.format(DAYS[1]))
    known = ask(KNOWN)
    assert known == ask(READ_ALL)
    received = dict(known)
    assert received[DAYS[1]] > received[DAYS[0]] == received[DAYS[2]]


def test_a_day_whose_exposures_went_elsewhere_is_due_no_more(outbox):
    change(
        "ALTER TABLE roman.exposure DROP CONSTRAINT exposure_detector_day_check",
        f"UPDATE roman.exposure SET day_mjd = day_mjd + 1 WHERE day_mjd = {DAYS[2]}",
    )
    known = ask(KNOWN)
    assert known == ask(READ_ALL)
    assert DAYS[2] + 1 in dict(known)
    assert DAYS[2] not in dict(known)
    change(
        "INSERT INTO roman.field (name, ra, dec, radius) VALUES ('elsewhere', 10, 10, 1)",
        "UPDATE roman.exposure SET field_id = (SELECT max(field_id) FROM roman.field) "
        f"WHERE day_mjd = {DAYS[0]}",
    )
    known = ask(KNOWN)
    assert known == ask(READ_ALL)
    assert DAYS[0] not in dict(known)


def test_who_stores_exposures_of_a_day_waits_for_nobody_else_who_does(outbox):
    """Two runs at once, of which neither has ended, and then a third statement of the first."""
    change(NEW_RUN, NEW_FILE)
    which = f"(SELECT {{}}(exposure_id) FROM roman.exposure WHERE day_mjd = {DAYS[1]})"
    touch = f"UPDATE roman.exposure SET file_id = {{}} WHERE exposure_id = {which}"
    newest, own = "(SELECT max(file_id) FROM ops.input_file)", "file_id"
    with session.transaction() as first, session.transaction() as second:
        for connection in (first, second):
            connection.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
        first.execute(sa.text(touch.format(newest, "min")))
        second.execute(sa.text(touch.format(own, "max")))
        first.execute(sa.text(touch.format(own, "min")))
    assert ask(KNOWN) == ask(READ_ALL)


OF_DAY = f"SELECT received_at, now() FROM ops.delivery_due WHERE rule = 'daily' AND start_mjd = {DAYS[1]}"
SEEN = (
    "INSERT INTO ops.watched_folder (folder, pattern, command, settle_s) VALUES ('/', '*', 'load', 1)",
    "INSERT INTO ops.arrived_file (path, folder, size_bytes, modified_at, changed_at) "
    "VALUES ('/again.asdf', '/', 1, now(), now() - interval '20 hours')",
)
ANNOUNCED = (
    "INSERT INTO ops.data_notification (sender, received_at, n_file, sha256) "
    "VALUES ('SOC', now() - interval '30 hours', 1, 'b')",
    "INSERT INTO ops.notified_file (data_notification_id, filename, sha256, size_bytes) "
    "SELECT data_notification_id, 'again.asdf', repeat('a', 64), 1 FROM ops.data_notification",
)
NEW_SEEN_FILE = NEW_FILE.replace("'/',", "'/again.asdf',")


@pytest.mark.parametrize(("seen", "hours"), [((), 0), (SEEN, 20), (ANNOUNCED, 30), (SEEN + ANNOUNCED, 30)])
def test_a_file_is_received_when_it_is_seen_or_announced_first(outbox, seen, hours):
    """All other files of the day were received longer ago."""
    change("UPDATE ops.load_run SET started_at = now() - interval '40 hours'")
    change(*seen, NEW_RUN, NEW_SEEN_FILE, REPLACE.format(DAYS[1]))
    ((received_at, now),) = ask(OF_DAY)
    assert round((now - received_at).total_seconds() / 3600, 1) == hours


def test_a_run_with_a_file_that_nobody_saw_is_received_when_it_began(outbox):
    change("UPDATE ops.load_run SET started_at = now() - interval '40 hours'", *SEEN, NEW_RUN)
    change(NEW_SEEN_FILE, REPLACE.format(DAYS[1]))
    other = NEW_FILE.replace("again", "other").replace("'a'", "'c'")
    change(other, REPLACE.format(DAYS[1]).replace("min", "max"))
    ((received_at, now),) = ask(OF_DAY)
    assert round((now - received_at).total_seconds() / 3600, 1) == 0


@pytest.mark.heavy
def test_what_is_stored_late_in_a_run_is_not_in_what_was_delivered_before(outbox, run):
    """The run began before the delivery, and stores a file of its day after it."""
    change(NEW_RUN)
    assert run("make", *DAILY).exit_code == 0
    assert run("publish", 1).exit_code == 0
    answer(outbox, f"{SERIES}_v1")
    assert run("acknowledge").exit_code == 0
    assert status()[0] == "done"
    change("UPDATE roman.exposure SET median_background = 1")
    assert status()[0] == "done"
    change(NEW_FILE, REPLACE.format(DAY))
    assert status() == ("due", "accepted", "input was received since: deliver again")


@pytest.mark.heavy
def test_who_makes_a_delivery_waits_for_what_is_being_stored(outbox, run):
    """The exposure is stored, and not committed, when the making begins."""
    change(NEW_RUN, NEW_FILE)
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor() as pool:
        with session.transaction() as loader:
            loader.execute(sa.text(REPLACE.format(DAY)))
            made = pool.submit(run, "make", *DAILY, "--partial")
            while ask(waits) == [(0,)]:
                assert not made.done()
                time.sleep(0.01)
        assert made.result().exit_code == 0
    assert "again.asdf" in (outbox.staging(f"{SERIES}_v1") / "inputs.sha256").read_text()
    later = "SELECT d.created_at > stored_at FROM ops.delivery_due JOIN ops.delivery d USING (delivery_id)"
    assert ask(later) == [(True,)]
