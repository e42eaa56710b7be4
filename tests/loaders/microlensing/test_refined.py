"""Objects that were refined are searched again, in the same run and once, and none else."""

import pytest
import sqlalchemy as sa

from loaders.microlensing.load import TASK, pending_events, pending_shared
from loaders.microlensing.tasks import EVENTS, SHARED_EVENTS
from loaders.season.tasks import REFINED_EVENTS, SEASON, SHARED_AGAIN, arguments
from roman_db import session
from roman_db.jobs import Mode, Task, Unit, itself, run_mode
from tests.loaders.microlensing.test_load import EVENTS as KEPT
from tests.loaders.microlensing.test_load import ask

GIVEN = arguments("gbtds", 1, "psf")

OUTCOME = "SELECT load_run_id, refinement_run_id FROM roman.event_search WHERE object_id = :star"


def pending():
    return [star for unit in pending_events(GIVEN) for star in unit.arguments["objects"]]


def refine(event, status):
    """A task that does what the refinement of an event leaves behind."""

    def unit(_, load_run, progress):
        values = {"event": event, "status": status, "run": load_run.load_run_id}
        with session.transaction() as connection:
            connection.execute(
                sa.text("UPDATE roman.event_refinement SET superseded_at = now() WHERE superseded_at IS NULL")
            )
            connection.execute(
                sa.text("""INSERT INTO roman.event_refinement
                    (event_id, object_id, season, status, optical_element, n_exposure, ref_epoch, ra, dec,
                     load_run_id)
                    SELECT event_id, object_id, season, :status, 'F146', 50, 2027.2,
                           CASE WHEN :status <> 'no_pixels' THEN 267 END, -29, :run
                    FROM roman.event WHERE event_id = :event"""),
                values,
            )
            load_run.count(connection, loaded=1)

    return Task("refined_by_hand", "Refine", lambda _: [Unit("event", {})], unit, itself)


def run(*tasks, **more):
    report = run_mode(Mode("season", "A season", tasks), GIVEN | more, lambda *_: None)
    assert not report.failed
    return [name.split()[0] for name in report.succeeded]


@pytest.mark.heavy
def test_what_was_refined_is_searched_again_once(own_survey):
    run(*SEASON.tasks)
    (event,) = ask(KEPT)
    assert pending() == []
    # In one run: nothing is to be searched before the refinement, and that object after it.
    assert run(EVENTS, SHARED_EVENTS, refine(event.event_id, "fitted"), REFINED_EVENTS, SHARED_AGAIN[0]) == [
        "refined_by_hand",
        TASK,
        "shared_events",
    ]
    ((searched, refined),) = ask(OUTCOME, star=event.object_id)
    assert searched == refined
    assert [row.object_id for row in ask("SELECT * FROM roman.event_search WHERE refinement_run_id > 0")] == [
        event.object_id
    ]
    assert pending() == []
    assert pending_shared(GIVEN) == []
    run(*SEASON.tasks)
    assert run(*SEASON.tasks) == []
    # What has no light curve of its own is not searched for it.
    run(refine(event.event_id, "no_pixels"))
    assert pending() == []
    run(refine(event.event_id, "far_off"))
    assert pending() == [event.object_id]


@pytest.mark.heavy
def test_doing_all_again_searches_once(own_survey):
    run(*SEASON.tasks)
    done = run(*SEASON.tasks, redo=True)
    assert done.count(TASK) == done.count("shared_events") == done.count("same_events") == 1
    assert [one.name for one in SHARED_AGAIN] == ["shared_events", "same_events"]
