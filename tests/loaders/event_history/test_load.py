"""Events from season to season: one brightening is linked, its models follow the light curves and stay."""

import pytest
import sqlalchemy as sa

from loaders.event_history import load
from loaders.event_history.tasks import REFIT_EVENTS, SAME_EVENTS
from loaders.season.tasks import SEASON, SURVEY, arguments
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from roman_db.schema.metadata import table
from tests.queries.filling import LENSED

#: What is looked at here alone.
HISTORY = Mode("season", "Histories", (SAME_EVENTS, REFIT_EVENTS))


def run(mode, season, **more):
    report = run_mode(mode, arguments("gbtds", season, "psf", **more), lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def change(query, **values):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(query), values)


MODELS = "SELECT * FROM roman.event_model ORDER BY event_model_id"
KEPT = "SELECT * FROM roman.event WHERE is_event ORDER BY season = 0, season"


def store_event(object_id, season, t_0, t_eff, model=None, **more):
    """An event, kept if not said otherwise; a model by its t_0, t_E and error of t_E."""
    with session.transaction(session.Role.OWNER) as connection:
        newest = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()

        def insert(target, **row):
            rows = table(f"roman.{target}")
            statement = rows.insert().returning(next(iter(rows.primary_key.columns)))
            return connection.execute(statement, row).scalar_one()

        given = {"photometry_kind": "psf", "is_event": True, "classification": "single_lens"} | more
        event = insert(
            "event", object_id=int(object_id), season=season, t_0_guess=t_0, t_eff=t_eff, search_shape=1,
            search_gain=500.0, delta_chi2=500.0, n_point=81, load_run_id=newest, **given,
        )  # fmt: skip
        if model is not None:
            key = insert(
                "event_model", event_id=event, rank=1, name="1L1S", n_lens=1, n_source=1,
                has_finite_source=False, has_parallax=False, chi2=80.0, n_point=81, n_parameter=7, bic=110.0,
                is_converged=True, software="by hand", load_run_id=newest,
            )  # fmt: skip
            of_path = {"t_0": (model[0], 0.01), "u_0": (0.1, 0.01), "t_E": model[1:]}
            for name, (value, err) in of_path.items():
                insert("event_model_parameter", event_model_id=key, name=name, value=value, err=err)
        return int(event)


def links():
    run(Mode("season", "Links", (SAME_EVENTS,)), 2)
    found = ask("SELECT event_id, same_as_event_id FROM roman.event")
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    return {row.event_id: row.same_as_event_id for row in found}


def test_a_tail_the_row_of_all_seasons_and_what_is_refused_are_the_first_event(own_survey):
    star, other = (int(number) for number in own_survey.object_id[:2])
    every = store_event(star, 0, 2461460.1, 5.0)
    refused = store_event(star, 1, 2461466.0, 4.0, is_event=False, classification="trend")
    tail = store_event(star, 2, 2461640.0, 20.0)
    first = store_event(star, 1, 2461460.0, 5.0, model=(2461460.0, 80.0, 2.0))
    apart = store_event(star, 2, 2461900.0, 1.0)
    same_time = store_event(other, 2, 2461460.0, 5.0)
    lost = store_event(star, 2, 2461460.0, 5.0, is_event=False, classification="not_found")
    external = store_event(star, 2, 2461460.0, 5.0, photometry_kind="external")
    alone = (first, apart, same_time, lost, external)
    assert links() == {every: first, refused: first, tail: first} | dict.fromkeys(alone)


def test_an_einstein_time_that_is_not_known_and_what_is_refused_link_nothing(own_survey):
    star, other = (int(number) for number in own_survey.object_id[:2])
    first = store_event(star, 1, 2461460.0, 1.0, model=(2461460.0, 80.0, 79.0))
    tail = store_event(star, 2, 2461640.0, 20.0)
    refused = store_event(other, 1, 2461460.0, 5.0, is_event=False, classification="trend")
    later = store_event(other, 2, 2461461.0, 5.0)
    assert links() == {first: None, tail: None, refused: later, later: None}


@pytest.mark.heavy
def test_links_follow_what_becomes_of_the_first(own_survey):
    star = int(own_survey.object_id[0])
    first, second, third = (store_event(star, season, 2461460.0 + season, 5.0) for season in (1, 2, 3))
    assert links() == {first: None, second: first, third: first}
    run(HISTORY, 2)
    newer = "UPDATE roman.event SET is_event = false, classification = 'not_found', load_run_id = "
    change(newer + "(SELECT max(load_run_id) FROM ops.load_run) WHERE event_id = :event", event=first)
    assert links() == {first: None, second: None, third: second}


@pytest.mark.heavy
def test_models_follow_the_light_curves_of_later_seasons_and_stay_as_history(own_survey):
    run(SEASON, 1)
    (event,) = ask(KEPT)
    (before,) = ask(MODELS)
    assert before.up_to_season is None
    assert load.pending_refits(arguments("gbtds", 1, "psf")) == []
    done = run(SEASON, 2)
    assert sum("refit_events" in name for name in done.succeeded) == 1
    old, new = ask(MODELS)
    assert old.event_model_id == before.event_model_id
    assert old.superseded_at is not None
    assert (new.event_id, new.rank, new.up_to_season) == (event.event_id, 1, 2)
    # A day of the second season on top: 24 exposures in one element and 3 in the other.
    assert 20 <= new.n_point - old.n_point <= 27
    found = {
        row.name: row
        for row in ask(
            "SELECT * FROM roman.event_model_parameter WHERE event_model_id = :m", m=new.event_model_id
        )
    }
    for name, truth in (("t_0", 2461461.702), ("u_0", 0.3), ("t_E", 0.7)):
        assert abs(found[name].value - truth) < 5 * found[name].err
    physics = ask("SELECT event_model_id FROM roman.event_physical")
    assert new.event_model_id in [row.event_model_id for row in physics]
    (line,) = load.summary_of_histories(2, "psf")
    assert "models of 1 are" in line
    again = run(SEASON, 2)
    assert [name for name in again.succeeded if "refit_events" in name or "same_events" in name] == []
    assert len(ask(MODELS)) == 2
    # The survey finds it in all light curves: another row of the same brightening, which counts once.
    run(SURVEY, 0)
    first, every = ask(KEPT)
    assert (first.event_id, every.same_as_event_id) == (event.event_id, event.event_id)
    assert len(ask("SELECT FROM roman.event WHERE is_event AND same_as_event_id IS NULL")) == 1


def test_a_fit_is_due_where_light_curves_are_newer_and_knows_no_fewer_seasons(own_survey):
    star = int(own_survey.object_id[LENSED])
    store_event(star, 1, 2461461.7, 0.2, model=(2461461.7, 0.7, 0.02))
    newest = "UPDATE roman.event_model SET up_to_season = 2, load_run_id = "
    (unit,) = load.pending_refits(arguments("gbtds", 2, "psf"))
    assert unit.arguments["up_to_season"] == 2
    change(newest + "(SELECT max(load_run_id) FROM ops.load_run)")
    assert load.pending_refits(arguments("gbtds", 2, "psf")) == []
    (unit,) = load.pending_refits(arguments("gbtds", 1, "psf", redo=True))
    assert unit.arguments["up_to_season"] == 2
    later = (
        "UPDATE roman.light_curve_block SET load_run_id = (SELECT max(load_run_id) + 1 FROM ops.load_run) "
    )
    change("ALTER TABLE roman.light_curve_block DROP CONSTRAINT IF EXISTS light_curve_block_load_run_id_fkey")
    change(later + "WHERE start_mjd = 61640")
    (unit,) = load.pending_refits(arguments("gbtds", 1, "psf"))
    assert unit.arguments["up_to_season"] == 2
    assert load.pending_refits(arguments("gbtds", 0, "psf")) == []
    change("UPDATE roman.event SET same_as_event_id = event_id")
    assert load.pending_refits(arguments("gbtds", 2, "psf")) == []


def test_a_fit_without_numbers_says_so_once_and_keeps_the_models(own_survey, monkeypatch):
    star = int(own_survey.object_id[LENSED])
    store_event(star, 1, 2461461.7, 0.2, model=(2461461.7, 0.7, 0.02))
    change("UPDATE roman.light_curve_segment SET flux = array_fill('NaN'::real, ARRAY[cardinality(flux)])")
    report = run(HISTORY, 2)
    (said,) = ask("SELECT * FROM ops.load_rejection WHERE load_run_id = :r", r=report.load_run_id)
    assert said.code == "refit_failed"
    assert str(star) in said.remedy
    (model,) = ask(MODELS)
    assert model.superseded_at is None
    assert load.pending_refits(arguments("gbtds", 2, "psf")) == []
