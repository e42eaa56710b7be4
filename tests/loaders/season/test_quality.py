"""Quality metrics of a season against what is counted by hand."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.season.tasks import QUALITY, arguments
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, list_units, run_mode
from roman_db.schema.metadata import table

MODE = Mode("test", "Statistics and quality alone", (LOCUS, VARIABILITY, QUALITY))


def run(**more):
    report = run_mode(MODE, arguments("gbtds", 1, "psf", **more), lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def measured(load_run_id):
    query = "SELECT * FROM ops.quality_metric WHERE load_run_id = :run AND exposure_id IS NULL"
    return {row.metric: row for row in ask(query, run=load_run_id)}


def add_events():
    """Store four candidates: two with a model, one of them unfinished, one shared, one that failed."""
    with session.transaction(session.Role.OWNER) as connection:
        objects = connection.execute(sa.text("SELECT object_id FROM roman.object ORDER BY 1")).scalars().all()
        newest = connection.execute(sa.text("SELECT max(load_run_id) FROM ops.load_run")).scalar_one()
        for k, (kept, what) in enumerate(
            [(True, "single_lens"), (True, "anomalous"), (False, "shared"), (False, "fit_failed")]
        ):
            row = {
                "object_id": objects[k], "season": 1, "photometry_kind": "psf", "is_event": kept,
                "classification": what, "t_0_guess": 2461480.0, "t_eff": 1.0, "search_shape": 1,
                "search_gain": 500.0, "n_point": 107, "load_run_id": newest,
            }  # fmt: skip
            events = table("roman.event")
            key = connection.execute(events.insert().returning(events.c.event_id), row).scalar_one()
            if kept:
                model = {
                    "event_id": key, "rank": 1, "name": "1L1S", "n_lens": 1, "n_source": 1,
                    "has_finite_source": False, "has_parallax": False, "chi2": 100.0 * (k + 1),
                    "n_point": 107, "n_parameter": 7, "bic": 1.0, "is_converged": k == 0,
                    "software": "test", "load_run_id": newest,
                }  # fmt: skip
                connection.execute(table("roman.event_model").insert(), model)


def test_shares_are_those_of_the_rows_and_limits_hold(own_survey):
    run()
    add_events()
    found = measured(run(redo=True).load_run_id)
    rows = ask("SELECT optical_element, n_point, is_variable FROM roman.variability WHERE season = 1")
    points = {row.optical_element: 0 for row in rows}
    for row in rows:
        points[row.optical_element] += row.n_point
    main = max(points, key=points.get)
    variable = [row.is_variable for row in rows if row.optical_element == main]
    assert found["variable_fraction"].value == pytest.approx(np.mean(variable))
    assert found["candidate_fraction_shared"].value == 0.25
    assert found["candidate_fraction_failed"].value == 0.25
    assert found["event_fraction_unfinished"].value == 0.5
    assert found["event_fraction_anomalous"].value == 0.5
    assert found["event_fraction_without_lens"].value == 1.0
    assert found["event_chi2"].value == pytest.approx(1.5)
    assert found["event_chi2"].verdict == "good"
    assert found["candidate_fraction_shared"].verdict == "warning"
    # There is no injection and no map of extinction.
    assert not {"event_reliability", "extinction_error"} & set(found)


def test_it_is_measured_again_only_when_something_changed(own_survey):
    assert "season_quality season 1 of gbtds, psf" in run().succeeded
    assert list_units(QUALITY, arguments("gbtds", 1, "psf")) == []
    (again,) = list_units(QUALITY, arguments("gbtds", 1, "psf", redo=True))
    assert again.name == "season 1 of gbtds, psf"


def test_a_season_without_light_curves_has_no_quality(own_survey):
    assert list_units(QUALITY, arguments("gbtds", 1, "aperture")) == []


def test_every_metric_has_a_limit(own_survey):
    run()
    add_events()
    assert all(row.verdict != "unlimited" for row in measured(run(redo=True).load_run_id).values())
