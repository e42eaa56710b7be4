"""Physical parameters in the database: of events, of twins, with extinction when there is a map."""

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from microlens_submit import load

from loaders.lens_physics import load as loader
from loaders.lens_physics.commands import microlens_submit
from loaders.lens_physics.load import summary_of_physics
from loaders.lens_physics.tasks import LENS_PHYSICS
from loaders.season.tasks import SEASON, arguments
from roman_db import session
from roman_db.jobs import Mode, run_mode
from tests.processes import in_processes
from tests.queries.filling import LENSED

#: What comes after the events.
AFTER = Mode("after", "What the lenses of events are", (LENS_PHYSICS,))


def run(mode=AFTER, **more):
    report = run_mode(mode, arguments("gbtds", 1, "psf", **more), lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


def change(query, **values):
    with session.transaction(session.Role.OWNER) as connection:
        connection.execute(sa.text(query), values)


ROWS = "SELECT * FROM roman.event_physical ORDER BY event_model_id"
NUMBERS = "SELECT * FROM roman.event_physical_parameter ORDER BY event_model_id, name, method"


def make_map(object_id, run_id):
    """Two orders, the finer of them without a fit in F087, and a cell that was replaced."""
    change("DELETE FROM roman.extinction")
    for order, element, value, status, old in (
        (9, "F146", 0.9, "fitted", False),
        (9, "F087", 1.3, "fitted", False),
        (10, "F146", 0.8, "fitted", False),
        (10, "F087", None, "too_few_stars", False),
        (10, "F146", 5.0, "fitted", True),
    ):
        change(
            "INSERT INTO roman.extinction (healpix_order, healpix_index, optical_element, extinction,"
            " extinction_err, clump_mag, clump_mag_intrinsic, n_star, status, superseded_at, load_run_id)"
            " VALUES (:order, :index, :element, :value, CASE WHEN :status = 'fitted' THEN 0.02 END,"
            " CASE WHEN :status = 'fitted' THEN 15 END, 14, 1000, :status,"
            " CASE WHEN :old THEN now() END, :run)",
            order=order,
            index=int(object_id) >> (2 * (29 - order)),
            element=element,
            value=value,
            status=status,
            old=old,
            run=run_id,
        )


def test_an_event_has_a_row_and_what_the_galaxy_expects(own_season):
    (row,) = ask(ROWS)
    assert (row.status, row.source_status, row.rho_status) == ("prior_only", "no_extinction", "not_fitted")
    assert (row.parallax_status, row.prior_status, row.delta_chi2) == ("not_fitted", "done", 0)
    assert row.has_covariance
    assert row.has_posterior
    numbers = {(one.name, one.method): one for one in ask(NUMBERS)}
    assert numbers["Mtot", "prior"].unit == "solMass"
    assert 0.01 < numbers["Mtot", "prior"].lower < numbers["Mtot", "prior"].upper < 5
    assert numbers["lens_flux_F146", "limit"].confidence == 0.95
    assert list(summary_of_physics(1, "psf")) == ["Lenses: 1 prior_only."]


def test_fluxes_have_errors_and_models_a_covariance(own_season):
    (model,) = ask("SELECT * FROM roman.event_model")
    names = model.covariance_of.split()
    assert names == ["t_0", "u_0", "t_E", "F087_1", "F087_0", "F146_1", "F146_0"]
    assert len(model.covariance) == 49
    for one in ask("SELECT * FROM roman.event_model_flux"):
        at = names.index(f"{one.optical_element}_{one.source_number}")
        assert one.flux_err == pytest.approx(model.covariance[at * 8] ** 0.5)
    for one in ask("SELECT * FROM roman.event_model_parameter"):
        assert one.err == pytest.approx(model.covariance[names.index(one.name) * 8] ** 0.5)


def test_samples_have_the_quantiles_of_their_models(own_season):
    sample = {one.name: np.array(one.sample) for one in ask("SELECT * FROM roman.event_model_sample")}
    (names,) = ask("SELECT covariance_of FROM roman.event_model").pop()
    assert set(sample) == set(names.split())
    for one in ask("SELECT * FROM roman.event_model_parameter"):
        lower, middle, upper = np.quantile(sample[one.name], [0.16, 0.5, 0.84])
        width = one.value_upper - one.value_lower
        known = (one.value_lower, one.value_median, one.value_upper)
        np.testing.assert_allclose((lower, middle, upper), known, atol=0.15 * width)
    for one in ask("SELECT * FROM roman.event_model_flux"):
        mine = sample[f"{one.optical_element}_{one.source_number}"]
        assert np.median(mine) == pytest.approx(one.flux, abs=one.flux_err)


@pytest.mark.heavy
def test_what_is_done_stays_and_a_new_map_does_it_again(own_survey):
    first = run(SEASON).load_run_id
    before = ask(NUMBERS)
    later = run().load_run_id
    assert ask(NUMBERS) == before
    # A faint event, of whose source little is known: taken to be known here.
    change("UPDATE roman.event_model SET covariance = NULL")
    change("DELETE FROM roman.event_model_sample")
    make_map(own_survey.object_id[LENSED], later)
    run()
    (row,) = ask(ROWS)
    assert row.load_run_id > first
    assert row.colour == "F087-F146"
    dust = {
        one.name: one.value - _magnitude(one.name[-4:])
        for one in ask(NUMBERS)
        if one.name.startswith("source_mag_0")
    }
    assert dust["source_mag_0_F146"] == pytest.approx(-0.8, abs=0.01)
    assert dust["source_mag_0_F087"] == pytest.approx(-1.3, abs=0.01)
    for one in ask("SELECT * FROM roman.event_model_flux WHERE source_number = 1"):
        magnitude = 31.4 - 2.5 * np.log10(one.flux)
        assert _magnitude(one.optical_element) == pytest.approx(magnitude, abs=1e-6)
    again = ask(NUMBERS)
    run()
    assert ask(NUMBERS) == again


def _magnitude(element):
    ((value,),) = ask(
        "SELECT value FROM roman.event_physical_parameter WHERE name = :name", name=f"source_mag_{element}"
    )
    return value


@pytest.mark.heavy
def test_redone_it_is_the_same_whatever_the_number_of_processes(own_season, monkeypatch):
    rows = [tuple(one)[1:-1] for one in ask(NUMBERS)]
    in_processes(monkeypatch, loader)
    run(SEASON, redo=True)
    again = (
        "SELECT p.* FROM roman.event_physical_parameter AS p JOIN roman.event_model USING (event_model_id)"
    )
    current = ask(f"{again} WHERE superseded_at IS NULL ORDER BY p.name, p.method")
    assert sorted(rows) == sorted(tuple(one)[1:-1] for one in current)


@pytest.mark.heavy
def test_twins_have_rows_and_worse_models_have_none(own_season):
    copy = (
        "INSERT INTO roman.event_model (event_id, rank, name, n_lens, n_source, has_finite_source,"
        " has_parallax, chi2, n_point, n_parameter, bic, is_converged, software, load_run_id)"
        " SELECT event_id, :rank, name, n_lens, n_source, has_finite_source, has_parallax, chi2 + :more,"
        " n_point, n_parameter, bic + :more, :converged, software, load_run_id"
        " FROM roman.event_model WHERE rank = 1"
    )
    change(copy, rank=2, more=10.0, converged=True)
    change(copy, rank=3, more=40.0, converged=True)
    change(copy, rank=4, more=10.0, converged=False)
    change(
        "INSERT INTO roman.event_model_parameter (event_model_id, name, value, err, unit)"
        " SELECT m.event_model_id, p.name, p.value, p.err, p.unit FROM roman.event_model AS m,"
        " roman.event_model_parameter AS p WHERE m.rank > 1"
    )
    change(
        "INSERT INTO roman.event_model_flux"
        " (event_model_id, optical_element, source_number, flux, error_scale)"
        " SELECT m.event_model_id, p.optical_element, p.source_number, p.flux, p.error_scale"
        " FROM roman.event_model AS m, roman.event_model_flux AS p WHERE m.rank > 1"
    )
    run()
    first, second = ask(
        f"SELECT p.*, m.rank FROM ({ROWS}) AS p JOIN roman.event_model AS m USING (event_model_id)"
    )
    assert (first.rank, second.rank) == (1, 2)
    assert second.delta_chi2 == pytest.approx(10)
    assert (first.has_covariance, second.has_covariance) == (True, False)
    assert (first.has_posterior, second.has_posterior) == (True, False)
    assert second.blend_status == "unknown"


@pytest.mark.heavy
def test_an_event_that_is_refused_has_no_row(own_season):
    change("UPDATE roman.event SET is_event = false, classification = 'shared'")
    run()
    assert ask(ROWS) == []
    assert ask(NUMBERS) == []
    assert list(summary_of_physics(1, "psf")) == []


@pytest.mark.heavy
def test_a_fit_that_did_not_end_has_a_row_that_says_so(own_season):
    change("UPDATE roman.event_model SET is_converged = false")
    change("DELETE FROM roman.event_physical_parameter")
    change("DELETE FROM roman.event_physical")
    run()
    (row,) = ask(ROWS)
    assert (row.status, row.prior_status) == ("not_converged", "not_tried")
    assert ask(NUMBERS) == []


def test_events_are_exported_as_the_tool_wants_them(own_season, tmp_path):
    given = [str(tmp_path / "project"), "--team", "t", "--repository", "https://example.org"]
    result = CliRunner().invoke(microlens_submit, [*given, "--season", "1"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 events with 1 models")
    submission = load(str(tmp_path / "project"))
    assert submission.run_validation() == []
    ((event),) = submission.events.values()
    ((one),) = event.solutions.values()
    assert one.model_type == "1S1L"
    assert set(one.parameter_uncertainties) == set(one.parameters)
    assert {"Mtot", "D_L", "D_S", "thetaE", "mu_rel"} <= set(one.physical_parameters)
    assert str(own_season.object_id[LENSED]) in one.get_notes(project_root=tmp_path / "project")
    assert CliRunner().invoke(microlens_submit, given).exit_code == 1
