"""Events that many stars have at one time and place are refused, and no others."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.microlensing.tasks import SHARED_EVENTS
from loaders.season.tasks import arguments
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.schema.metadata import table
from tests.queries.filling import N_OBJECT

MODE = Mode("test", "Shared events alone", (SHARED_EVENTS,))


def fill(rows):
    """Store events (row of the object, t_0, t_eff, kept, fall of chi-square if known) of season 0."""
    with session.transaction(session.Role.OWNER) as connection:
        objects = connection.execute(sa.text("SELECT object_id FROM roman.object ORDER BY 1")).scalars().all()
        run = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()
        values = [
            {
                "object_id": objects[k],
                "season": 0,
                "photometry_kind": "psf",
                "is_event": kept,
                "classification": "single_lens" if kept else "step",
                "t_0_guess": t_0,
                "t_eff": t_eff,
                "search_shape": 1,
                "search_gain": 500.0,
                "delta_chi2": gain[0] if gain else None,
                "n_point": 100,
                "load_run_id": run,
            }
            for k, t_0, t_eff, kept, *gain in rows
        ]
        connection.execute(table("roman.event").insert(), values)


def run():
    report = run_mode(MODE, arguments("gbtds", 0, "psf"), lambda *_: None)
    assert not report.failed
    return report


def refused(reason="shared"):
    query = "SELECT t_0_guess FROM roman.event WHERE classification = :reason AND NOT is_event ORDER BY 1"
    with session.reading() as connection:
        return connection.execute(sa.text(query), {"reason": reason}).scalars().all()


def move(k, other, arcsec):
    """Put an object north of another one."""
    with session.transaction(session.Role.OWNER) as connection:
        objects = connection.execute(sa.text("SELECT object_id FROM roman.object ORDER BY 1")).scalars().all()
        query = (
            "UPDATE roman.object AS o SET ra = p.ra, dec = p.dec + :by FROM roman.object AS p"
            " WHERE o.object_id = :mine AND p.object_id = :other"
        )
        values = {"by": arcsec / 3600, "mine": objects[k], "other": objects[other]}
        connection.execute(sa.text(query), values)


SCATTERED = [(k, 1000.0 + 30 * k, 1.0, True) for k in range(N_OBJECT)]


def test_events_at_times_of_their_own_stay(own_survey):
    fill(SCATTERED)
    run()
    assert refused() == []


def test_one_that_many_neighbours_have_is_refused_with_all_of_them(own_survey):
    crowd = [(k, 1500.0 + 0.01 * k, 1.0, k % 2 == 0) for k in range(10, 20)]
    fill(SCATTERED + crowd)
    run()
    assert refused() == [1500.0 + 0.01 * k for k in range(10, 20, 2)]
    assert run().succeeded == []


@pytest.mark.parametrize("change", [{"t_eff": 10.0}, {"count": 3}])
def test_other_lengths_and_few_neighbours_do_not_count(own_survey, change):
    crowd = [(10, 1500.0, 1.0, True)]
    crowd += [(11 + k, 1500.0, change.get("t_eff", 1.0), False) for k in range(change.get("count", 8))]
    fill(SCATTERED + crowd)
    run()
    assert refused() == []


def test_what_chance_brings_is_no_crowd(own_survey):
    rng = np.random.default_rng(2)
    fill([(k, float(rng.uniform(0, 300)), 60.0, True) for k in range(N_OBJECT)])
    run()
    assert refused() == []


@pytest.mark.parametrize(
    ("arcsec", "t_0", "gain", "kept", "is_refused"),
    [
        (1.5, 1500.5, 2e5, True, True),
        # Also where the stronger one is no event itself, such as the outburst of a star.
        (1.5, 1500.5, 2e5, False, True),
        (4.0, 1500.5, 2e5, True, False),
        (1.5, 1504.0, 2e5, True, False),
        (1.5, 1500.5, 2e3, True, False),
    ],
)
def test_wings_of_a_stronger_brightening_are_no_event(own_survey, arcsec, t_0, gain, kept, is_refused):
    move(21, 20, arcsec)
    fill([(20, t_0, 3.0, kept, gain), (21, 1500.0, 1.0, True, 150.0), (30, 1500.0, 1.0, True, 150.0)])
    run()
    assert refused("beside_stronger") == ([1500.0] if is_refused else [])
    assert run().succeeded == []
