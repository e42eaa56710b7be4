"""Relative motions in the database: what goes in as offsets comes out as motions, a row an event, once."""

import numpy as np
import pytest
import sqlalchemy as sa

from loaders.adopted_astrometry.tasks import ASTROMETRY_MODE
from loaders.astrometric_solution import load as solutions
from loaders.relative_motion.load import summary_of_motions
from loaders.relative_motion.tasks import RELATIVE_MOTION
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.query.audit import chosen, run_audits
from tests.loaders.astrometric_solution.test_load import ask, write_exposures
from tests.queries.filling import exposure_id

#: Days in seasons 3, 5 and 6 of the survey that the tests' own exposures leave free: spring, autumn, spring.
FIRST = (61813, 62732, 62909)
T_0 = 61640.0
FLUX = {"F087": (900.0, 100.0), "F146": (1000.0, 500.0)}
LENSED = 7
MOTION = np.array([5.0, -4.0])


@pytest.fixture(autouse=True)
def flags(monkeypatch):
    """Of the survey of the tests."""
    monkeypatch.setattr(solutions, "EXCLUDING_FLAGS", 1 | 2)


def change(query, **values):
    with session.transaction(session.Role.OWNER) as connection:
        return connection.execute(sa.text(query), values)


def write_event(survey, season=0, blend_err=5.0):
    """An event of the object LENSED, and its model."""
    given = {"o": int(survey.object_id[LENSED]), "season": season, "t": T_0 + 2400000.5, "err": blend_err}
    change(
        """
        WITH e AS (
            INSERT INTO roman.event (object_id, season, photometry_kind, is_event, classification, t_0_guess,
                t_eff, search_shape, search_gain, delta_chi2, n_point, load_run_id)
            VALUES (:o, CAST(:season AS smallint), 'psf_free', true, 'single_lens', :t, 5, 1, 900, 900, 9, 1)
            RETURNING event_id
        ), m AS (
            INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source,
                has_parallax, chi2, n_point, n_parameter, bic, is_converged, software, load_run_id)
            SELECT event_id, 1, '1L1S', 1, 1, false, false, 100, 100, 3, 100, true, 'test', 1 FROM e
            RETURNING event_model_id
        ), p AS (
            INSERT INTO roman.event_model_parameter (event_model_id, name, value, err)
            SELECT event_model_id, v.name, v.value, 0.1
            FROM m, (VALUES ('t_0', CAST(:t AS float8)), ('t_E', 20.0), ('u_0', 0.1)) AS v (name, value)
        )
        INSERT INTO roman.event_model_flux (event_model_id, optical_element, source_number, flux, flux_err,
            error_scale)
        SELECT event_model_id, v.element, v.number, v.flux, CAST(:err AS float8), 1
        FROM m, (VALUES ('F087', 1, 900.0), ('F087', 0, 100.0), ('F146', 1, 1000.0), ('F146', 0, 500.0))
            AS v (element, number, flux)
        """,
        **given,
    )


def write_light(survey, motion=MOTION):
    """Offsets in both elements: those of stars, and for one of them of the light of source and lens."""
    for element, per_season, step in (("F146", 24, 0.0), ("F087", 12, 0.11)):
        mjd = np.concatenate([one + step + np.linspace(0.3, 60, per_season) for one in FIRST])
        source, lens = FLUX[element]
        shift = np.zeros((survey.object_id.size, mjd.size, 2))
        shift[LENSED] = lens / (source + lens) * ((mjd - T_0) / 365.25)[:, None] * motion
        seed = 50 + per_season
        write_exposures(survey, mjd, "psf_free", shift, element=element, noise_seed=seed)
        for at in mjd:
            change(
                """
                CREATE TEMPORARY TABLE one ON COMMIT DROP AS SELECT * FROM roman.exposure LIMIT 1;
                UPDATE one SET exposure_id = :id, exposure = :number, midpoint_mjd_tdb = :mjd, day_mjd = :day,
                    optical_element = :element, observatory_source = 'model', ephemeris_time = NULL;
                INSERT INTO roman.exposure SELECT * FROM one
                """,
                id=int(exposure_id(at)), number=int(at * 10) % 30_000, mjd=float(at), day=int(at),
                element=element,
            )  # fmt: skip


def run(season=0, **more):
    given = {"survey": "gbtds", "season": season, "photometry_kind": "psf_free", "redo": False} | more
    report = run_mode(Mode("motion", "Motions alone", (RELATIVE_MOTION,)), given, lambda *_: None)
    assert not report.failed
    return report


def solve():
    given = {"survey": "gbtds", "season": 0, "photometry_kind": "psf_free", "redo": False}
    assert not run_mode(ASTROMETRY_MODE, given, lambda *_: None).failed


def rows():
    return ask("SELECT * FROM roman.relative_proper_motion WHERE superseded_at IS NULL ORDER BY event_id")


@pytest.mark.heavy
def test_the_motion_of_the_lens_comes_out(own_survey):
    write_light(own_survey)
    write_event(own_survey)
    solve()
    run()
    (row,) = rows()
    assert (row.method, row.status, row.optical_elements) == ("chromatic_shift", "measured", "F087 F146")
    # Of three seasons two are in spring.
    assert row.n_season == 2
    assert row.n_exposure > 90
    assert row.pm_rel_ra == pytest.approx(MOTION[0], abs=4 * row.pm_rel_ra_err)
    assert row.pm_rel_dec == pytest.approx(MOTION[1], abs=4 * row.pm_rel_dec_err)
    assert row.pm_rel_ra_err < 1
    assert row.share == pytest.approx(0.1 - 1 / 3)
    assert row.pm_rel == pytest.approx(np.hypot(*MOTION), abs=4 * row.pm_rel_err)
    assert list(summary_of_motions(0, "psf_free")) == ["Relative motions: 1 measured (chromatic_shift)."]
    assert [
        result.name
        for result in run_audits(chosen(["relative_motion", "astrometry"]), 0)
        if not result.passed
    ] == []


@pytest.mark.heavy
def test_again_does_nothing_and_a_newer_model_counts(own_survey):
    write_light(own_survey)
    write_event(own_survey)
    run()
    (first,) = rows()
    assert run().succeeded == []
    change("UPDATE roman.event_model SET load_run_id = (SELECT max(load_run_id) FROM ops.load_run)")
    run()
    (second,) = rows()
    assert second.relative_proper_motion_id > first.relative_proper_motion_id
    # Rows come in any order, so that sums differ in the last digits.
    assert second.pm_rel == pytest.approx(first.pm_rel, rel=1e-10)
    change("UPDATE roman.event SET is_event = false, classification = 'shared'")
    run()
    assert rows() == []
    assert run().succeeded == []


@pytest.mark.heavy
def test_a_season_has_the_events_of_earlier_ones_and_exposures_so_far(own_survey):
    write_light(own_survey)
    write_event(own_survey, season=2)
    assert run(season=1).succeeded == []
    run(season=3)
    assert [(row.season, row.status) for row in rows()] == [(3, "first_season")]
    run(season=5)
    found = {row.season: row for row in rows()}
    assert set(found) == {3, 5}
    assert found[5].n_exposure > found[3].n_exposure


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        ("UPDATE roman.event SET delta_chi2 = 200", "not_robust"),
        ("UPDATE roman.event_model SET is_converged = false", "not_robust"),
        ("UPDATE roman.event_model SET n_source = 2", "not_robust"),
        ("UPDATE roman.event_model_flux SET flux_err = 400", "faint_lens"),
        ("UPDATE roman.event_model_flux SET flux = 500, flux_err = 50", "no_colour"),
        ("DELETE FROM roman.event_model_flux WHERE optical_element = 'F087'", "few_epochs"),
        ("SELECT 1", "few_epochs"),
    ],
)
def test_why_there_is_none(own_survey, spoil, status):
    write_event(own_survey)
    change(spoil)
    run()
    (row,) = rows()
    assert (row.status, row.pm_rel, row.pm_rel_ra_err) == (status, None, None)
