"""Projects of microlens-submit, by its own reading and its own checks."""

import dataclasses
import json

import numpy as np
import pytest
from microlens_submit import load
from microlens_submit.validate_parameters import validate_physical_parameters
from scipy.stats import gamma, norm

from loaders.lens_physics.describe import describe
from loaders.lens_physics.submission import Event, Solution, Team, probabilities, write_submission
from loaders.rejection import Rejected
from tests.loaders.lens_physics.events import DUST, PLACE, T_0, Truth, stored, without

TEAM = Team("bulge", "https://example.org/bulge")


def solution(model, number, dust=DUST):
    errors = {key: 0.02 * abs(flux) for key, flux in model.flux.items()}
    quantities = describe(model, PLACE, dust, number).quantities
    return Solution(
        number, number, model, errors, quantities, 1000.0 + number, 990, 1050.0 + number, 1060.0 + number
    )


def binary(parallax=True):
    model = stored()
    more = {"s": 1.3, "q": 0.01, "alpha": 200.0}
    out = dataclasses.replace(
        model,
        name="2L1S_parallax",
        n_lens=2,
        value=model.value | more,
        error=model.error | {"s": 0.001, "q": 0.004, "alpha": np.nan},
        covariance=None,
    )
    return out if parallax else dataclasses.replace(out, name="2L1S")


def two_sources():
    value = {"t_0_1": T_0, "u_0_1": 0.1, "t_E": 20.0, "t_0_2": T_0 + 2, "u_0_2": 0.3}
    flux = {("F146", 1): 900.0, ("F146", 2): 300.0, ("F146", 0): -20.0}
    return dataclasses.replace(
        without(stored(), "rho", "pi_E_N", "pi_E_E"),
        name="1L2S",
        n_source=2,
        value=value,
        error=dict.fromkeys(value, 0.01),
        flux=flux,
        covariance=None,
    )


def moving(name, more):
    """A lens that turns, or a source on a circle."""
    model = stored() if "xallarap" in name else binary()
    error = model.error | {one: 0.1 * abs(value) for one, value in more.items()}
    return dataclasses.replace(model, name=name, value=model.value | more, error=error, covariance=None)


TURNS = {"ds_dt": 0.5, "dalpha_dt": -90.0}
CIRCLE = {
    "xi_period": 30.0, "xi_semimajor_axis": 0.1, "xi_Omega_node": 40.0, "xi_inclination": 60.0,
    "xi_argument_of_latitude_reference": 10.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "more", "effect"),
    [
        ("2L1S_orbital_motion_parallax", TURNS, "lens-orbital-motion"),
        ("1L1S_xallarap_parallax", CIRCLE, "xallarap"),
    ],
)
def test_what_moves_has_the_names_of_the_tool(tmp_path, name, more, effect):
    model = moving(name, more)
    write_submission(tmp_path, TEAM, [Event(1, 1, *PLACE, [solution(model, 1)])])
    submission = load(str(tmp_path))
    assert submission.run_validation() == []
    (one,) = submission.events["roman_1"].solutions.values()
    assert all(message.startswith("Warning:") for message in one.run_validation())
    assert effect in one.higher_order_effects
    assert one.t_ref == T_0
    if effect == "xallarap":
        assert one.parameters["P_xi"] == 30.0
        assert np.hypot(one.parameters["xiEN"], one.parameters["xiEE"]) == pytest.approx(0.1)
    else:
        assert one.parameters["dsdt"] == 0.5
        assert one.parameters["dadt"] == pytest.approx(-np.pi / 2)


@pytest.fixture
def project(tmp_path):
    """Events with models of all kinds."""
    plain = without(stored(), "rho", "pi_E_N", "pi_E_E", name="1L1S")
    unfinished = dataclasses.replace(plain, is_converged=False)
    events = [
        Event(1, 11, *PLACE, [solution(stored(), 1), solution(plain, 2)]),
        Event(2, 12, *PLACE, [solution(binary(), 3)]),
        Event(3, 13, *PLACE, [solution(two_sources(), 4), solution(plain, 5, {}), solution(unfinished, 6)]),
        Event(4, 14, *PLACE, [solution(stored(elements=("F146", "F087", "F213"), pi_err=0.3), 7)]),
    ]
    write_submission(tmp_path / "project", TEAM, events)
    return tmp_path / "project"


def test_the_tool_reads_it_and_finds_nothing_wrong(project):
    submission = load(str(project))
    assert submission.run_validation() == []
    assert submission.team_name == "bulge"
    assert sorted(submission.events) == [f"roman_{number}" for number in (1, 2, 3, 4)]
    kinds = {one.alias: one.model_type for e in submission.events.values() for one in e.solutions.values()}
    assert set(kinds.values()) == {"1S1L", "1S2L", "2S1L"}
    for event in submission.events.values():
        for one in event.solutions.values():
            assert validate_physical_parameters(one.physical_parameters or {}) == []
            assert one.get_notes(project_root=project)
            messages = one.run_validation()
            assert all(message.startswith("Warning:") for message in messages)


def test_the_tool_packs_it(project, tmp_path):
    submission = load(str(project))
    submission.export(str(tmp_path / "project.zip"))
    assert (tmp_path / "project.zip").stat().st_size > 1000


def test_parameters_are_turned_into_those_of_the_tool(project):
    (one,) = load(str(project)).events["roman_2"].solutions.values()
    truth = Truth()
    assert one.parameters["alpha"] == pytest.approx(np.radians(200.0))
    assert "alpha" not in one.parameter_uncertainties
    assert one.parameters["tE"] == pytest.approx(truth.parameters["t_E"])
    assert (one.t_ref, one.higher_order_effects) == (T_0, ["parallax", "finite-source"])
    assert one.bands == ["0", "1"]
    assert one.parameters["F0_S"] == pytest.approx(binary().flux["F146", 1])
    assert one.physical_parameters["M1"] == pytest.approx(truth.mass, rel=0.2)
    assert one.physical_parameters["thetaE"] == pytest.approx(truth.theta_e, rel=0.1)
    down, up = one.physical_parameter_uncertainties["D_L"]
    assert 0 < down < 2
    assert 0 < up < 2
    assert one.log_likelihood == pytest.approx(-501.5)


def test_notes_name_the_twins_of_a_solution(tmp_path):
    """Both ways: the worse one knows of the better one, whose notes name it, too."""
    lenses, double = solution(binary(), 3), solution(two_sources(), 4)
    double = dataclasses.replace(double, twin_of=3, degeneracy="binary_source")
    alone = solution(stored(), 5)
    write_submission(tmp_path, TEAM, [Event(1, 1, *PLACE, [lenses, double, alone])])
    submission = load(str(tmp_path))
    assert submission.run_validation() == []
    found = submission.events["roman_1"].solutions.values()
    notes = {one.alias: one.get_notes(project_root=tmp_path) for one in found}
    assert "- 4_1L2S, binary_source: two sources in one of them" in notes["3_2L1S_parallax"]
    assert "- 3_2L1S_parallax, binary_source" in notes["4_1L2S"]
    assert "hardly tells" not in notes[next(name for name in notes if name.startswith("5_"))]


def test_two_sources_have_the_ratio_of_their_fluxes(project):
    one = next(s for s in load(str(project)).events["roman_3"].solutions.values() if s.model_type == "2S1L")
    assert one.parameters["flux_ratio"] == pytest.approx(1 / 3)
    assert one.parameters["t0_source2"] == T_0 + 2
    assert one.parameters["F0_B"] == -20.0


def test_a_first_source_without_light_is_told_as_another_kind(tmp_path):
    dark = two_sources()
    dark = dataclasses.replace(dark, flux=dark.flux | {("F146", 1): 0.0})
    write_submission(tmp_path, TEAM, [Event(1, 1, *PLACE, [solution(dark, 1)])])
    submission = load(str(tmp_path))
    assert submission.run_validation() == []
    (one,) = submission.events["roman_1"].solutions.values()
    assert one.model_type == "other"


def test_probabilities_are_those_of_the_criterion(project):
    some = load(str(project)).events["roman_1"].solutions.values()
    assert sum(one.relative_probability for one in some) == pytest.approx(1)
    assert probabilities([10.0, 12.0, 1e5]) == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0])


def test_a_model_of_which_nothing_follows_has_no_physical_parameters(project):
    some = load(str(project)).events["roman_3"].solutions.values()
    (one,) = (s for s in some if s.alias.startswith("6_"))
    assert one.physical_parameters is None


def test_where_there_is_a_posterior_its_intervals_are_handed_in(tmp_path):
    """Skewed either way: gamma distributions, whose percentiles scipy knows."""
    rng = np.random.default_rng(4)
    model, n = binary(), 200_000
    up, down = gamma(2.0), model.value["t_E"] + 5
    best = {"u_0": model.value["u_0"], "alpha": 200.0, "F146_1": model.flux["F146", 1]}
    spread = {"u_0": 0.01, "alpha": 2.0, "F146_1": 30.0}
    sample = {name: best[name] + spread[name] * (rng.gamma(2.0, size=n) - 1.0) for name in best}
    sample["t_E"] = down - rng.gamma(2.0, size=n) * 5
    sample["rho"] = model.value["rho"] * rng.normal(3.0, 0.1, n)
    model = dataclasses.replace(model, sample=sample)
    write_submission(tmp_path, TEAM, [Event(1, 1, *PLACE, [solution(model, 1), solution(stored(), 2)])])
    submission = load(str(tmp_path))
    assert submission.run_validation() == []
    solutions = {one.alias[0]: one for one in submission.events["roman_1"].solutions.values()}
    one = solutions["1"]
    assert all(message.startswith("Warning:") for message in one.run_validation())
    methods = [solutions[number].uncertainty_method for number in "12"]
    assert methods == ["mcmc_posterior", "fisher_matrix"]
    got = one.parameter_uncertainties
    assert got.keys() == {"u0", "alpha", "F0_S", "tE", "rho"}
    wanted = 1.0 - up.ppf(0.16), up.ppf(0.84) - 1.0
    for name, unit in (("u0", 0.01), ("alpha", np.radians(2.0)), ("F0_S", 30.0)):
        assert got[name] == pytest.approx([unit * x for x in wanted], rel=0.02)
    # Farther down than up, and best values outside of the interval: the tool takes one number.
    assert got["tE"] == pytest.approx(5 * (up.ppf(0.84) - up.ppf(0.16)) / 2, rel=0.02)
    assert got["rho"] == pytest.approx(0.1 * norm.ppf(0.84) * model.value["rho"], rel=0.02)
    notes = one.get_notes(project_root=tmp_path)
    assert "posterior" in notes
    row = next(line for line in notes.splitlines() if line.startswith("| t_E |"))
    low, high = (float(cell) for cell in row.split("|")[3:5])
    assert low == pytest.approx(down - 5 * up.ppf(0.84), rel=0.01)
    assert high == pytest.approx(down - 5 * up.ppf(0.16), rel=0.01)


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Rejected, match="not empty"):
        write_submission(tmp_path, TEAM, [])
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def test_written_twice_it_is_the_same_but_for_the_time(tmp_path):
    event = Event(1, 1, *PLACE, [solution(stored(), 1)])
    for name in "ab":
        write_submission(tmp_path / name, TEAM, [event])
    first, second = (
        json.loads(next((tmp_path / name).rglob("solutions/*.json")).read_text()) for name in "ab"
    )
    assert first | {"creation_timestamp": 0} == second | {"creation_timestamp": 0}
