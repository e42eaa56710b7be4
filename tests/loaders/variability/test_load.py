"""The variability catalog in the database against the points themselves."""

import click
import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from loaders.season.commands import commands
from loaders.season.tasks import arguments
from loaders.variability import load
from loaders.variability.statistics import describe
from loaders.variability.tasks import LOCUS, VARIABILITY
from roman_db import session
from roman_db.jobs import Mode, run_mode
from roman_db.load_run import load_run
from tests.queries.filling import EXCLUDING, LENSED, N_OBJECT

#: The modes as far as they describe light curves.
SEASON = Mode("season", "Statistics of a season", (LOCUS, VARIABILITY))
SURVEY = Mode("survey", "Statistics of all seasons", (LOCUS, VARIABILITY))


def run(mode, season, **more):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "EXCLUDING_FLAGS", EXCLUDING)
        return run_mode(mode, arguments("gbtds", season, "psf", **more), lambda *_: None)


def command(*words):
    @click.group()
    def root():
        pass

    @root.group()
    def run():
        pass

    commands(root)
    return CliRunner().invoke(root, ["run", *words])


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def points(object_id, element, from_mjd=0, to_mjd=10**6):
    query = """
        SELECT flux::float8, flux_err::float8 FROM roman.light_curve
        WHERE object_id = :object_id AND optical_element = :element AND flags & 3 = 0 AND flux <> 'NaN'
          AND start_mjd >= :from_mjd AND start_mjd < :to_mjd
        ORDER BY midpoint_mjd_tdb
    """
    rows = ask(query, object_id=int(object_id), element=element, from_mjd=from_mjd, to_mjd=to_mjd)
    return np.array(rows, dtype=np.float64).reshape(-1, 2).T


def rows(season):
    return {
        (row.object_id, row.optical_element): row
        for row in ask("SELECT * FROM roman.variability WHERE season = :s", s=season)
    }


def test_summaries_give_what_the_points_give(own_survey):
    assert not run(SEASON, 1).failed
    found = rows(1)
    assert len(found) == 2 * N_OBJECT
    for (object_id, element), row in found.items():
        flux, error = points(object_id, element, 61448, 61520)
        truth = describe(flux[None], error[None])[0]
        same = {
            "n_point": "n_point",
            "mean_flux": "weighted_mean",
            "std_flux": "standard_deviation",
            "reduced_chi2": "reduced_chi2",
            "skewness": "skewness",
            "kurtosis": "kurtosis",
            "von_neumann": "von_neumann",
        }
        for ours, theirs in same.items():
            assert getattr(row, ours) == pytest.approx(truth[theirs], rel=1e-10, abs=1e-9), ours
        assert (row.min_flux, row.max_flux) == pytest.approx((flux.min(), flux.max()), rel=1e-6)
        assert row.longest_run == longest_run(flux, error, reference_of(own_survey, object_id, element))


def reference_of(survey, object_id, element):
    return survey.flux[element][np.searchsorted(survey.object_id, object_id)]


def longest_run(flux, error, reference):
    best = now = 0
    for above in flux > np.float32(reference) + 3 * error:
        now = now + 1 if above else 0
        best = max(best, now)
    return best


def test_the_lensed_star_is_variable_and_what_needs_points_is_measured_of_it_alone(own_survey):
    run(SEASON, 1)
    variable = {key[0] for key, row in rows(1).items() if row.is_variable}
    assert variable == {own_survey.object_id[LENSED]}
    for (object_id, element), row in rows(1).items():
        if object_id not in variable:
            assert row.median_flux is None
            continue
        flux, error = points(object_id, element, 61448, 61520)
        truth = describe(flux[None], error[None])[0]
        assert row.median_flux == pytest.approx(truth["median"])
        assert row.mad_flux == pytest.approx(truth["median_absolute_deviation"])
        assert row.stetson_k == pytest.approx(truth["stetson_k"])
        # Both elements brighten together.
        assert row.stetson_j is None if element == "F146" else row.stetson_j > 3


@pytest.mark.heavy
def test_the_whole_survey_has_the_points_of_all_seasons(own_survey):
    run(SURVEY, 0)
    run(SEASON, 2)
    whole, second = rows(0), rows(2)
    for (object_id, element), row in whole.items():
        assert row.n_point == points(object_id, element).shape[1]
        assert second[object_id, element].n_point == points(object_id, element, 61636, 61708).shape[1]


def test_what_is_done_is_not_done_again_until_light_curves_change(own_survey):
    first = run(SEASON, 1)
    assert len(first.succeeded) == 2
    assert run(SEASON, 1).succeeded == []
    assert len(run(SEASON, 1, redo=True).succeeded) == 2
    with load_run("photometry again", {}) as newest, session.transaction(session.Role.OWNER) as connection:
        values = {"n": newest.load_run_id}
        connection.execute(sa.text("UPDATE roman.light_curve_block SET load_run_id = :n"), values)
    assert len(run(SEASON, 1).succeeded) == 2


@pytest.mark.heavy
def test_small_ranges_make_the_same_catalog(own_survey, monkeypatch):
    run(SEASON, 1)
    before = rows(1)
    monkeypatch.setattr(load, "RANGE", 7)
    report = run(SEASON, 1, redo=True)
    assert len(report.succeeded) == 1 + -(-N_OBJECT // 7)
    after = rows(1)
    assert {key: row[:-1] for key, row in before.items()} == {key: row[:-1] for key, row in after.items()}


def test_constant_stars_set_the_scale(own_survey, monkeypatch):
    monkeypatch.setattr(load, "CELL", 2.0)
    monkeypatch.setattr(load, "FEWEST", 10)
    with session.transaction(session.Role.OWNER) as connection:
        # Errors that are too small by a factor of three make everything variable but for the locus.
        connection.execute(
            sa.text(
                "UPDATE roman.light_curve_summary "
                "SET sum_weight = 9 * sum_weight, weighted_m2 = 9 * weighted_m2"
            )
        )
    run(SEASON, 1)
    found = [row for row in rows(1).values() if row.optical_element == "F146"]
    constant = [row.variability_index for row in found if row.object_id != own_survey.object_id[LENSED]]
    assert np.median([row.reduced_chi2 for row in found]) == pytest.approx(9, rel=0.1)
    assert abs(np.median(constant)) < 0.5
    assert [row.object_id for row in found if row.is_variable] == [own_survey.object_id[LENSED]]
    locus = ask("SELECT * FROM roman.variability_locus WHERE season = 1 AND optical_element = 'F146'")
    assert np.array([row.centre for row in locus]) == pytest.approx(9 ** (1 / 3), rel=0.05)


def test_a_season_without_light_curves_says_so(own_survey):
    done = command("season", "5")
    assert done.exit_code == 0, done.output
    assert "no light curves" in done.output


def test_a_season_that_there_is_not_is_refused(own_survey):
    done = command("season", "77")
    assert done.exit_code == 2
    assert "no season 77" in done.output
