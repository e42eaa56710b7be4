"""``roman-db jobs`` and ``roman-db worker`` as an operator calls them."""

import re

import pytest

from tests.faults.command_line import roman_db, succeed

from ..conftest import execute
from .conftest import work_here


def test_from_submission_to_success(queue):
    said = succeed("jobs", "submit", "--priority", 7, "run", "bench", "--names", "a,b").out
    number = re.search(r"Job (\d+) waits", said)[1]
    assert "todo" in succeed("jobs", "list").out
    succeed("worker", "--once")
    shown = succeed("jobs", "show", number).out
    assert re.search(r"^state +succeeded$", shown, re.M)
    assert re.search(r"^command +run bench --names a,b$", shown, re.M)
    assert re.search(r"^priority +7$", shown, re.M)
    assert succeed("jobs", "list", "--state", "failed").out.count("\n") == 1


def test_a_job_that_waits_is_cancelled_at_once_and_can_be_retried(queue):
    succeed("jobs", "submit", "run", "bench", "--names", "a")
    assert succeed("jobs", "cancel", 1).out == "Job 1 is cancelled.\n"
    work_here()
    assert execute(queue, "SELECT name FROM bench.unit") == []
    succeed("jobs", "retry", 1)
    work_here()
    assert execute(queue, "SELECT name FROM bench.unit") == [("a",)]


def test_a_job_for_later_waits(queue):
    succeed("jobs", "submit", "--at", "2100-01-01T12:00", "run", "bench", "--names", "a")
    work_here()
    when = "SELECT state, scheduled_at = timestamptz '2100-01-01 12:00+00' FROM ops.queue_job"
    assert execute(queue, when) == [("todo", True)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "a job begins with one of load, run, export, deliveries"),
        (("query", "SELECT 1"), "a job begins with one of load, run, export"),
        (("run", "nothing"), "'run nothing' is no command"),
        (("run", "bench", "--day", "1"), "No such option"),
        (("run", "bench", "--help"), "only prints"),
    ],
)
def test_what_no_worker_could_run_is_refused(queue, words, said):
    outcome = roman_db("jobs", "submit", *words)
    assert outcome.code == 2
    assert said in outcome.err
    assert execute(queue, "SELECT count(*) FROM ops.queue_job") == [(0,)]


@pytest.mark.parametrize("command", ["show", "retry", "cancel"])
def test_a_job_that_there_is_not(queue, command):
    outcome = roman_db("jobs", command, 12)
    assert (outcome.code, outcome.out) == (1, "")
    assert "there is no job 12" in outcome.err


@pytest.mark.parametrize("command", ["retry", "cancel"])
def test_a_job_that_succeeded_stays_so(queue, command):
    succeed("jobs", "submit", "run", "bench", "--names", "a")
    work_here()
    outcome = roman_db("jobs", command, 1)
    assert outcome.code == 1
    assert "job 1 is succeeded" in outcome.err
