"""kill -9 of workers and of the command amid the search for events, then the same command again."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from loaders.microlensing import load
from loaders.microlensing.find import look_at
from loaders.microlensing.tasks import EVENTS
from loaders.season.tasks import SEASON, arguments
from roman_db import parallel
from roman_db.jobs import Mode, run_mode
from tests.faults.killed import CONTEXT, KILLED
from tests.queries.conftest import filled_template, own_survey
from tests.queries.filling import LENSED
from tests.roman_db.conftest import execute

__all__ = ["filled_template", "own_survey"]

MODE = Mode("test", "The search for events alone", (EVENTS,))

#: What the search stores, without numbers that two runs give differently.
STORED = {
    "search": "SELECT object_id, outcome, n_point FROM roman.event_search ORDER BY object_id",
    "event": "SELECT object_id, is_event, classification, t_0_guess, t_eff, round(delta_chi2::numeric, 3) "
    "FROM roman.event ORDER BY object_id, t_0_guess",
    "model": "SELECT e.object_id, m.name, m.rank, round(m.chi2::numeric, 3) FROM roman.event_model AS m "
    "JOIN roman.event AS e USING (event_id) WHERE m.superseded_at IS NULL ORDER BY 1, 3",
}

#: Every object is to be searched.
ALL_VARY = "UPDATE roman.variability SET variability_index = 9 WHERE season = 1"


@pytest.fixture
def described(own_survey, monkeypatch):
    """URL of a database with 60 objects that are to be searched, five of which are stored at a time."""
    first = Mode("test", "All that comes before", SEASON.tasks[: SEASON.tasks.index(EVENTS)])
    assert not run_mode(first, arguments("gbtds", 1, "psf"), lambda *_: None).failed
    url = os.environ["ROMAN_DB_URL"]
    execute(url, ALL_VARY)
    monkeypatch.setattr(load, "STORED", 5)
    return url


def search(**more):
    return run_mode(MODE, arguments("gbtds", 1, "psf", **more), lambda *_: None)


def stored(url):
    return {name: execute(url, query) for name, query in STORED.items()}


def accounts(url):
    """What the last run was given, loaded and rejected."""
    query = (
        "SELECT n_expected, n_loaded, n_rejected, state FROM ops.load_run ORDER BY load_run_id DESC LIMIT 1"
    )
    return execute(url, query)[0]


def deadly(curve, victim, **how):
    """Search, unless it is the victim: that takes all memory, as far as the kernel thinks."""
    if curve.object_id == victim:
        os.kill(os.getpid(), signal.SIGKILL)
    return look_at(curve, **how)


def test_an_object_that_kills_its_worker_says_so_and_all_others_are_searched(
    described, own_survey, monkeypatch
):
    victim = int(own_survey.object_id[LENSED + 4])
    two = partial(parallel.each_ended, 2)
    with monkeypatch.context() as patch:
        patch.setattr(load, "each_ended", lambda _, *given: two(*given))
        patch.setattr(load, "look_at", partial(deadly, victim=victim))
        assert not search().failed
    listed = len(own_survey.object_id)
    assert accounts(described) == (listed, listed - 1, 1, "succeeded")
    outcome = {row[0]: row[1] for row in execute(described, STORED["search"])}
    assert set(outcome) == set(own_survey.object_id.tolist())
    assert [one for one, what in outcome.items() if what == "fit_failed"] == [victim]
    assert outcome[int(own_survey.object_id[LENSED])] == "candidate"
    ((source, code, remedy),) = execute(
        described,
        "SELECT source, code, remedy FROM ops.load_rejection "
        "WHERE load_run_id = (SELECT max(load_run_id) FROM ops.load_run)",
    )
    assert (source, code) == (f"object {victim}", "worker_died")
    assert "memory" in remedy
    assert "ROMAN_DB_WORKERS" in remedy
    assert list(load.summary_of_events(1, "psf"))[1:] == [
        "Not searched: 1 objects, of which the search of 1 failed."
    ]
    # With more memory the next command does what is left, and nothing else.
    assert len(search().succeeded) == 1
    assert accounts(described) == (1, 1, 0, "succeeded")
    assert search().succeeded == []


def test_an_object_on_which_the_search_breaks_off_keeps_no_other_from_it(described, own_survey, monkeypatch):
    victim = int(own_survey.object_id[20])

    def broken(curve, **how):
        if curve.object_id == victim:
            raise LookupError("nobody foresaw this")
        return look_at(curve, **how)

    monkeypatch.setattr(load, "look_at", broken)
    assert not search().failed
    assert accounts(described)[1:3] == (len(own_survey.object_id) - 1, 1)
    query = "SELECT source, code FROM ops.load_rejection ORDER BY load_rejection_id DESC LIMIT 1"
    assert execute(described, query) == [(f"object {victim}", "unexpected_error")]


def die_after(count, environment):
    """Be a command that is killed when it has searched a number of objects."""
    os.environ.update(environment)
    load.STORED = 5
    told = []

    def step(text, done, total):
        told.append(done)
        if done == count and total > 1:
            os.kill(os.getpid(), signal.SIGKILL)

    run_mode(MODE, arguments("gbtds", 1, "psf"), step)


def test_a_killed_command_loses_the_last_few_objects_and_the_next_searches_the_others(described, own_survey):
    listed = len(own_survey.object_id)
    ours = {name: value for name, value in os.environ.items() if name.startswith("ROMAN_DB_")}
    n_done = 0
    for count in (23, 11):
        process = CONTEXT.Process(target=die_after, args=(count, ours))
        process.start()
        process.join(240)
        assert process.exitcode == KILLED
        before, n_done = n_done, len(execute(described, STORED["search"]))
        assert n_done - before == count // 5 * 5
    searched = execute(described, STORED["search"])
    assert not search().failed
    assert accounts(described) == (listed - n_done, listed - n_done, 0, "succeeded")
    assert set(searched) <= set(execute(described, STORED["search"]))
    sums = "SELECT sum(n_loaded), sum(n_rejected) FROM ops.load_run WHERE task = 'run test'"
    units = "SELECT state, count(*) FROM ops.task_run WHERE task = 'events' GROUP BY state ORDER BY state"
    earlier = "AND load_run_id >= (SELECT min(load_run_id) FROM ops.task_run WHERE task = 'events')"
    assert execute(described, f"{sums} {earlier}") == [(listed, 0)]
    assert execute(described, units) == [("interrupted", 2), ("succeeded", 1)]
    resumed = stored(described)
    # The same as without any of this.
    execute(described, "TRUNCATE roman.event_search")
    execute(described, "TRUNCATE roman.event CASCADE")
    assert not search().failed
    assert stored(described) == resumed
    assert len(resumed["search"]) == listed
    assert len(resumed["event"]) >= 1
