"""All that is ready is delivered by one command, by hand or by a worker, and what fails is tried again."""

from __future__ import annotations

import pytest

from roman_db import session
from roman_db.cli import root
from roman_db.delivery.commands import deliveries
from roman_db.queue import storage
from roman_db.queue.job import Job

from ...queries.filling import DAYS
from ..queue.conftest import work_here
from .conftest import ask, change
from .test_delivery import SERIES, answer, status

STATES = "SELECT name, state FROM ops.delivery ORDER BY delivery_id"
MEASURED_AGAIN = """
    INSERT INTO ops.load_run (task, arguments, state, code_version, schema_version, host, pid, n_expected)
    VALUES ('run daily', '{}', 'succeeded', '1', '1', 'h', 1, 0)
"""


@pytest.fixture
def one_day(outbox):
    """Of all days one has exposures of a field of a survey."""
    elsewhere = "(SELECT field_id FROM roman.field WHERE name = 'elsewhere')"
    change(
        "INSERT INTO roman.field (name, ra, dec, radius) VALUES ('elsewhere', 10, 10, 1)",
        f"UPDATE roman.exposure SET field_id = {elsewhere} WHERE day_mjd <> {DAYS[1]}",
    )
    return outbox


def test_what_is_ready_is_delivered_once(one_day, run):
    assert run("send").output == f"{SERIES}_v1 is published as delivery 1\n"
    answer(one_day, f"{SERIES}_v1")
    assert run("send").output == f"{SERIES}_v1 is accepted\n"
    assert status()[0] == "done"
    assert run("send").output == ""
    # No run of eight days or of the season has succeeded: nothing of them is ready.
    assert ask(STATES) == [(f"{SERIES}_v1", "accepted")]


@pytest.mark.heavy
def test_what_was_refused_waits_until_its_data_were_made_again(one_day, run):
    change("UPDATE roman.program SET program_category = 'CATEGORY'")
    assert run("send").exit_code == 1
    assert run("send").output == ""
    change("UPDATE roman.program SET program_category = 'CCS'", MEASURED_AGAIN)
    assert run("send").output == f"{SERIES}_v2 is published as delivery 2\n"
    assert ask(STATES) == [(f"{SERIES}_v1", "refused"), (f"{SERIES}_v2", "published")]


def test_what_was_made_and_not_published_is_published(one_day, run):
    run("make", "daily", "--season", 1, "--day", DAYS[1])
    assert run("send").output == f"{SERIES}_v1 is published as delivery 1\n"


@pytest.mark.heavy
def test_a_worker_tries_again_what_cannot_be_written(one_day, monkeypatch):
    """Where the folder is to be there is a file, which somebody takes away after the first try."""
    monkeypatch.setitem(root.commands, "deliveries", deliveries)
    one_day.root.write_text("in the way")
    with session.transaction() as connection:
        job = storage.submit(connection, Job(("deliveries", "send"), backoff_s=3600, retries=1))
    work_here()
    attempts = "SELECT state FROM ops.job_attempt ORDER BY job_attempt_id"
    assert ask(attempts) == [("failed",)]
    assert ask(STATES) == [(f"{SERIES}_v1", "failed")]
    assert ask("SELECT message LIKE '%Not a directory%' FROM ops.delivery") == [(True,)]
    one_day.root.unlink()
    change(f"UPDATE queue.procrastinate_jobs SET scheduled_at = now() WHERE id = {job}")
    work_here()
    assert ask(attempts) == [("failed",), ("succeeded",)]
    assert ask(STATES)[-1] == (f"{SERIES}_v2", "published")
