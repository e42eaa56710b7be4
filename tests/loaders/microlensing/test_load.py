"""Events in the database: found, kept under their identifiers, and their models with history."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.kinds import POINT
from loaders.microlensing import load
from loaders.season.tasks import SEASON, arguments
from roman_db import session
from roman_db.jobs import Mode, Task, Unit, run_mode
from tests.processes import in_processes
from tests.queries.filling import LENSED, N_OBJECT


def run(**more):
    report = run_mode(SEASON, arguments("gbtds", 1, "psf", **more), lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


EVENTS = "SELECT * FROM roman.event WHERE is_event"
CURRENT = "SELECT * FROM roman.event_model WHERE superseded_at IS NULL ORDER BY rank"


def test_the_lensed_star_is_the_event_with_its_parameters(own_season):
    (event,) = ask(EVENTS)
    assert event.object_id == own_season.object_id[LENSED]
    assert event.season == 1
    (model,) = ask(CURRENT)
    assert model.name == "1L1S"
    assert model.n_parameter == 3 + 2 * 2
    assert model.bic == pytest.approx(model.chi2 + 7 * np.log(model.n_point))
    # It is short, so that no parallax was fitted, which costs 10.
    assert model.score == pytest.approx(model.bic + 10)
    found = {row.name: row for row in ask("SELECT * FROM roman.event_model_parameter")}
    # As the survey is made: t_0 = MJD 61461.2 at the observatory, 0.002 days later at the barycentre.
    for name, truth in (("t_0", 2461461.702), ("u_0", 0.3), ("t_E", 0.7)):
        assert abs(found[name].value - truth) < 5 * found[name].err
        assert found[name].value_lower < found[name].value_median < found[name].value_upper
        assert abs(found[name].value_median - truth) < 5 * (found[name].value_upper - found[name].value_lower)
    assert model.posterior_method == "importance"
    assert model.n_effective > 100
    fluxes = ask("SELECT * FROM roman.event_model_flux WHERE optical_element = 'F146' ORDER BY source_number")
    assert [row.source_number for row in fluxes] == [0, 1]
    assert sum(row.flux for row in fluxes) == pytest.approx(own_season.flux["F146"][LENSED], rel=0.05)


@pytest.mark.heavy
def test_another_run_keeps_the_event_and_the_history_of_its_models(own_season, monkeypatch):
    (first,) = ask(EVENTS)
    run()
    assert ask(EVENTS) == [first]
    in_processes(monkeypatch, load)
    run(redo=True)
    (second,) = ask(EVENTS)
    assert second.event_id == first.event_id
    assert second.load_run_id > first.load_run_id
    assert len(ask("SELECT * FROM roman.event_model")) == 2
    assert len(ask(CURRENT)) == 1


@pytest.mark.heavy
def test_an_event_that_is_not_found_again_says_so(own_season):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(
            sa.text(
                "UPDATE roman.light_curve_segment SET flux = array_fill(100::real, ARRAY[cardinality(flux)])"
            )
        )
    run(redo=True)
    assert ask(EVENTS) == []
    (lost,) = ask("SELECT * FROM roman.event WHERE object_id = :o", o=int(own_season.object_id[LENSED]))
    assert lost.classification == "not_found"


@pytest.mark.heavy
def test_what_moves_is_stored_with_the_event_and_does_not_refuse_a_lens(own_survey):
    lensed, near, far = (int(own_survey.object_id[k]) for k in (LENSED, LENSED + 1, LENSED + 2))
    values = "pm_ra = :ra, pm_dec = :dec, pm_ra_err = 2, pm_dec_err = 2"
    moves = f"UPDATE roman.object SET {values} WHERE object_id = :o"
    with session.transaction(session.Role.OWNER) as connection:
        for object_id, ra, dec in ((lensed, 300, 0), (near, 0, 400), (far, 900, 0)):
            connection.execute(sa.text(moves), {"o": object_id, "ra": ra, "dec": dec})
        place = "UPDATE roman.object n SET ra = o.ra, dec = o.dec + 0.1 / 3600 FROM roman.object o WHERE "
        which = "n.object_id = :near AND o.object_id = :lensed"
        connection.execute(sa.text(place + which), {"near": near, "lensed": lensed})
    given = {"season": 1, "photometry_kind": "psf"}
    still = int(own_survey.object_id[LENSED + 3])
    movers = load._movers([lensed, still], given)
    assert still not in movers
    itself, other = sorted(movers[lensed], key=lambda mover: mover.distance)
    assert (itself.speed, itself.error, itself.distance) == (300, 2, 0)
    assert (other.speed, other.error) == pytest.approx((500, np.hypot(2, 2)))
    assert other.distance == pytest.approx(0.1, rel=1e-3)
    run()
    (event,) = ask(EVENTS)
    assert event.object_id == lensed
    assert event.mover_gain < 0
    assert (event.mover_pm, event.mover_distance) in [(300, 0), pytest.approx((500, 0.1), rel=1e-3)]


def test_motions_of_fits_and_of_offsets_count_the_most_certain_first(own_survey):
    lensed = int(own_survey.object_id[LENSED])
    trend = (
        "INSERT INTO roman.variable_trend (season, photometry_kind, object_id, optical_element, quantity, "
        "slope, slope_err, value, reference_bjd_tdb, reduced_chi2, n_point, load_run_id) "
        "SELECT 1, 'psf', :o, 'F146', "
        "q, s, 1, 0, 2461460, 1, 9, min(load_run_id) FROM ops.load_run, (VALUES ('offset_ra', 30), "
        "('offset_dec', 40)) AS v(q, s) GROUP BY q, s"
    )
    catalog = (
        "UPDATE roman.object SET pm_ra = 5, pm_dec = 12, pm_ra_err = 3, pm_dec_err = 4 WHERE object_id = :o"
    )
    with session.transaction(session.Role.OWNER) as connection:
        for statement in (trend, catalog):
            connection.execute(sa.text(statement), {"o": lensed})
    movers = load._movers([lensed], {"season": 1, "photometry_kind": "psf"})[lensed]
    assert [(mover.speed, mover.error) for mover in movers] == [(50, 1), (13, 4)]
    assert load._movers([lensed], {"season": 2, "photometry_kind": "psf"})[lensed] == movers[1:]
    assert load._movers([], {"season": 1, "photometry_kind": "psf"}) == {}


def change(statement, **values):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(statement), values)


SEARCHED = "SELECT object_id FROM roman.event_search"
SEARCHES = "SELECT object_id, outcome, n_point FROM roman.event_search ORDER BY object_id"
VARIES = (
    "(variability_index >= 3 OR longest_run >= 3 OR (1 - von_neumann / 2) * sqrt(n_point) >= 4)"
    " AND season = 1"
)
LET_VARY = "UPDATE roman.variability SET variability_index = 9 WHERE season = 1 AND object_id = ANY(:objects)"
LET_REST = (
    "UPDATE roman.variability SET variability_index = 0, longest_run = 0, von_neumann = 2 "
    "WHERE season = 1 AND object_id = ANY(:objects)"
)


def test_each_object_that_varies_has_an_outcome(own_season):
    wanted = ask(f"SELECT DISTINCT object_id FROM roman.variability WHERE {VARIES} ORDER BY 1")
    found = ask(SEARCHES)
    assert [(row.object_id,) for row in found] == wanted
    events = {row.object_id for row in ask("SELECT object_id FROM roman.event")}
    assert {row.object_id for row in found if row.outcome == "candidate"} == events
    # Stars that are constant are searched if they are said to vary: there is nothing.
    constant = [int(one) for one in own_season.object_id[20:30]]
    change(LET_VARY, objects=constant)
    run()
    outcome = {row.object_id: row for row in ask(SEARCHES)}
    assert {outcome[one].outcome for one in constant} == {"nothing"}
    n_point = "SELECT sum(n_point) FROM roman.variability WHERE season = 1 AND object_id = :o"
    for one in constant[:3]:
        assert [(outcome[one].n_point,)] == ask(n_point, o=one)


def test_objects_without_points_say_so(own_season):
    empty = int(own_season.object_id[25])
    change(LET_VARY, objects=[empty])
    change(
        "UPDATE roman.light_curve_segment SET flux_err = array_fill('NaN'::real, ARRAY[cardinality(flux)])"
    )
    run()
    assert [row[1:] for row in ask(SEARCHES) if row.object_id == empty] == [("no_points", None)]


@pytest.mark.heavy
@pytest.mark.parametrize("others", [[LENSED - 1, LENSED + 1], [], [LENSED - 1], [LENSED + 1]])
def test_an_object_that_does_not_vary_any_more_has_no_event_wherever_it_stands(own_season, others):
    ((lensed,),) = ask("SELECT object_id FROM roman.event WHERE is_event")
    varies = [int(own_season.object_id[k]) for k in others]
    rest = [int(one) for one in own_season.object_id if int(one) not in varies]
    change(LET_VARY, objects=varies)
    change(LET_REST, objects=rest)
    run()
    assert ask(EVENTS) == []
    assert ask("SELECT classification FROM roman.event WHERE object_id = :o", o=lensed) == [("not_found",)]
    outcome = {row.object_id: row.outcome for row in ask(SEARCHES)}
    assert outcome.pop(lensed) == "constant"
    assert {outcome[one] for one in varies} <= {"nothing", "candidate"}
    assert run().succeeded == []
    # It varies again, and is found under its old identifier.
    change(LET_VARY, objects=[lensed])
    run()
    assert [row.object_id for row in ask(EVENTS)] == [lensed]
    assert len(ask("SELECT 1 FROM roman.event WHERE object_id = :o", o=lensed)) == 1


def test_what_was_not_searched_is_said(own_season):
    said = list(load.summary_of_events(1, "psf"))
    assert len(said) == 1
    change(
        "UPDATE roman.event_search SET outcome = 'fit_failed' WHERE object_id = :o",
        o=int(own_season.object_id[LENSED]),
    )
    change("DELETE FROM roman.event_search WHERE object_id <> :o", o=int(own_season.object_id[LENSED]))
    n = len(ask(f"SELECT DISTINCT object_id FROM roman.variability WHERE {VARIES}"))
    assert list(load.summary_of_events(1, "psf"))[1:] == [
        f"Not searched: {n} objects, of which the search of 1 failed."
    ]


@pytest.mark.heavy
def test_progress_counts_the_objects_of_all_units(own_season, monkeypatch):
    change(LET_VARY, objects=[int(one) for one in own_season.object_id])
    monkeypatch.setattr(load, "RANGE", 25)
    monkeypatch.setattr(load, "STORED", 10)
    seen = []
    run_mode(SEASON, arguments("gbtds", 1, "psf", redo=False), lambda *told: seen.append(told))
    mine = [(done, total) for text, done, total in seen if text.startswith("events season")]
    in_objects = [told for told in mine if told[1] > 3]
    total = in_objects[0][1]
    assert total == N_OBJECT - len(
        ask(f"{SEARCHED} WHERE load_run_id < (SELECT max(load_run_id) FROM roman.event_search)")
    )
    assert sorted({done for done, _ in in_objects}) == list(range(total + 1))
    assert [done for done, _ in in_objects] == sorted(done for done, _ in in_objects)


def test_twins_are_stored_with_the_better_one(own_season):
    (event,) = ask(EVENTS)
    value = {"t_0": 2461461.7, "u_0": 0.1, "t_E": 20.0, "pi_E_N": 0.2, "pi_E_E": -0.1}
    ends = (["F146"], np.ones((1, 2)), np.ones(1))
    best, twin, other = (
        FittedModel(POINT, True, one, dict.fromkeys(one, 0.01), *ends, chi2, 99, 2461461.7, True, True)
        for one, chi2 in (
            (value, 80.0),
            (value | {"u_0": -0.1, "pi_E_N": -0.2}, 83.0),
            (value | {"u_0": -0.1, "t_E": 40.0}, 84.0),
        )
    )
    does = stored([best, twin, other], event)
    work = Task("by hand", "Store models", lambda _: [Unit("one", {})], does, lambda unit: (unit.name,))
    assert not run_mode(Mode("season", "By hand", (work,)), {}, lambda *_: None).failed
    first, second, third = ask(CURRENT)
    assert (first.twin_of, first.degeneracy, first.up_to_season) == (None, None, 2)
    assert (second.twin_of, second.degeneracy) == (first.event_model_id, "ecliptic")
    assert (third.twin_of, third.degeneracy) == (None, None)


def stored(models, event):
    """What stores models of an event that are of two seasons."""

    def unit(_, load_run, progress):
        with session.transaction() as connection:
            load.store_models(connection, load_run, event.event_id, models, 2)
            load_run.count(connection, loaded=1)

    return unit


@pytest.mark.heavy
def test_asking_for_xallarap_ends_and_keeps_the_single_lens(own_survey):
    """What a lens alone explains needs no companion of its source."""
    given = arguments("gbtds", 1, "psf") | {"xallarap": True}
    report = run_mode(SEASON, given, lambda *_: None)
    assert not report.failed
    (event,) = ask(EVENTS)
    assert (event.object_id, event.classification) == (own_survey.object_id[LENSED], "single_lens")
    assert next(row.name for row in ask(CURRENT)) == "1L1S"
