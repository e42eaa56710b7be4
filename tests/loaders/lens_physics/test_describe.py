"""What follows from models, against lenses that are known."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.lens_physics.describe import describe
from loaders.lens_physics.galaxy import Sightline
from loaders.lens_physics.source import Dust, source_of
from tests.loaders.lens_physics.events import DUST, PLACE, T_0, Truth, stored, without


def found(description, method="measured"):
    return {one.name: one for one in description.quantities if one.method == method}


def test_a_lens_is_found_with_its_mass_and_distance():
    truth = Truth(source=8.6)
    one = describe(stored(truth), PLACE, DUST, 1)
    assert (one.status, one.source, one.rho, one.parallax) == ("mass_measured", *["measured"] * 3)
    assert (one.prior, one.colour, one.blend) == ("done", "F087-F146", "positive")
    rows = found(one)
    for name, value in (
        ("theta_star", truth.theta_star),
        ("thetaE", truth.theta_e),
        ("piE", truth.pi_e),
        ("pi_rel", truth.pi_rel),
        ("mu_rel", truth.mu),
        ("Mtot", truth.mass),
        ("D_L", truth.lens),
        ("mu_rel_N", truth.mu * np.cos(truth.angle)),
        ("mu_rel_E", truth.mu * np.sin(truth.angle)),
    ):
        assert rows[name].value == pytest.approx(value, rel=0.06), name
        assert rows[name].lower < value < rows[name].upper, name
    assert rows["M1"] == dataclasses.replace(rows["Mtot"], name="M1")
    assert set(found(one, "assumed")) == {"D_S"}
    # What the Galaxy adds is the distance of the source, and that others are rarer.
    assert found(one, "prior")["Mtot"].value == pytest.approx(truth.mass, rel=0.15)


@pytest.mark.heavy
def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, n = np.random.default_rng(11), 300
    distances = Sightline(*PLACE).source_distance(n, rng)
    inside = {"Mtot": 0, "D_L": 0, "thetaE": 0, "mu_rel": 0, "theta_star": 0}
    for k, source in enumerate(distances):
        truth = Truth(
            mass=rng.uniform(0.3, 1.0),
            lens=rng.uniform(2, 0.7 * source),
            source=source,
            angle=rng.uniform(0, 6),
        )
        one = describe(stored(truth, relative=0.05, rng=rng), PLACE, DUST, k, 2000)
        assert one.status == "mass_measured"
        rows = found(one)
        values = (truth.mass, truth.lens, truth.theta_e, truth.mu, truth.theta_star)
        for name, value in zip(inside, values, strict=True):
            inside[name] += rows[name].lower < value < rows[name].upper
    allowed = 3 * np.sqrt(0.68 * 0.32 / n)
    for name, count in inside.items():
        assert abs(count / n - 0.68) < allowed, (name, count / n)


def test_two_lenses_share_the_mass():
    model = stored()
    more = {"s": 1.3, "q": 0.01}
    both = dataclasses.replace(
        model,
        n_lens=2,
        value=model.value | more,
        error=model.error | {"s": 0.001, "q": 0.0001},
        covariance=None,
    )
    rows = found(describe(both, PLACE, DUST, 1))
    assert rows["M2"].value == pytest.approx(0.01 * rows["M1"].value, rel=0.02)
    assert rows["Mtot"].value == pytest.approx(rows["M1"].value + rows["M2"].value, rel=0.01)
    assert rows["a_perp"].value == pytest.approx(1.3 * Truth().theta_e * Truth().lens, rel=0.1)


def test_the_same_seed_gives_the_same_rows():
    assert describe(stored(), PLACE, DUST, 5) == describe(stored(), PLACE, DUST, 5)
    assert describe(stored(), PLACE, DUST, 5).quantities != describe(stored(), PLACE, DUST, 6).quantities


@pytest.mark.parametrize(
    ("dust", "elements", "status"),
    [
        ({}, ("F146", "F087"), "no_extinction"),
        ({"F146": Dust(0.8, 0.02)}, ("F146", "F087"), "no_extinction"),
        (DUST, ("F146",), "no_colour"),
        (DUST, ("F087",), "no_flux"),
        ({"F087": Dust(6.0, 0.03), "F146": Dust(0.8, 0.02)}, ("F146", "F087"), "colour_out_of_range"),
    ],
)
def test_without_a_size_only_the_galaxy_says_what_the_lens_is(dust, elements, status):
    one = describe(stored(elements=elements, pi_err=0.01), PLACE, dust, 1)
    assert one.source == status
    assert one.status == "parallax_measured"
    assert not {"theta_star", "thetaE", "Mtot"} & set(found(one))
    assert {"Mtot", "D_L", "thetaE", "mu_rel"} <= set(found(one, "prior"))


def test_a_colour_with_f213_serves_where_there_is_no_other():
    one = describe(stored(elements=("F146", "F213")), PLACE, DUST, 1)
    assert (one.source, one.colour) == ("measured", "F146-F213")
    assert found(one)["theta_star"].value == pytest.approx(Truth().theta_star, rel=0.05)


def test_without_rho_there_is_no_radius():
    one = describe(without(stored(), "rho"), PLACE, DUST, 1)
    assert (one.rho, one.status) == ("not_fitted", "parallax_measured")
    assert not {"thetaE", "Mtot"} & set(found(one))
    assert "rho" not in found(one, "limit")


def test_a_size_that_may_be_zero_limits_the_radius():
    truth = Truth()
    model = stored(truth)
    rho = truth.parameters["rho"]
    error = model.error | {"rho": 2 * rho}
    one = describe(dataclasses.replace(model, error=error, covariance=None), PLACE, DUST, 1)
    assert (one.rho, one.status) == ("upper_limit", "parallax_measured")
    limits = found(one, "limit")
    assert limits["rho"].value is None
    assert 2 * rho < limits["rho"].upper < 6 * rho
    assert limits["thetaE"].lower == pytest.approx(truth.theta_star / limits["rho"].upper, rel=0.1)
    assert limits["thetaE"].upper is None
    assert "thetaE" not in found(one)


@pytest.mark.parametrize("change", [{"rho": np.nan}, {"rho": 0.0}])
def test_an_error_that_is_none_says_nothing(change):
    model = stored()
    one = describe(dataclasses.replace(model, error=model.error | change, covariance=None), PLACE, DUST, 1)
    assert one.rho == "undetermined"
    assert not {"rho", "thetaE"} & set(found(one, "limit"))


def test_a_size_below_zero_says_nothing():
    model = stored()
    one = describe(dataclasses.replace(model, value=model.value | {"rho": -1e-3}), PLACE, DUST, 1)
    assert one.rho == "undetermined"


def test_parallax_that_may_be_zero_leaves_a_least_mass():
    truth = Truth()
    one = describe(stored(truth, pi_err=0.3), PLACE, DUST, 1)
    assert (one.parallax, one.status, one.prior) == ("consistent_with_zero", "theta_e_measured", "done")
    limits = found(one, "limit")
    assert limits["piE"].upper > truth.pi_e
    assert limits["Mtot"].lower < truth.mass
    assert not {"Mtot", "D_L", "pi_rel", "piE"} & set(found(one))
    assert found(one)["thetaE"].value == pytest.approx(truth.theta_e, rel=0.06)
    assert {"Mtot", "D_L"} <= set(found(one, "prior"))


def test_one_component_of_parallax_leaves_a_greatest_mass():
    """As short events have it: the other component may be anything."""
    truth = Truth()
    model = stored(truth)
    at = [model.covariance_of.index(f"pi_E_{one}") for one in "NE"]
    covariance = model.covariance.copy()
    covariance[at[0], at[0]], covariance[at[1], at[1]] = 0.5**2, 0.01**2
    one = describe(dataclasses.replace(model, covariance=covariance), PLACE, DUST, 1)
    assert (one.parallax, one.status, one.prior) == ("partly_measured", "theta_e_measured", "done")
    limits, rows = found(one, "limit"), found(one)
    assert 0.05 < limits["piE"].lower < truth.pi_e
    assert limits["Mtot"].upper > truth.mass
    assert rows["piE_E"].value == pytest.approx(truth.parameters["pi_E_E"], rel=0.05)
    assert not {"piE", "Mtot", "D_L"} & set(rows)


def test_a_lens_that_the_galaxy_does_not_have_is_told():
    one = describe(stored(Truth(mass=300.0, lens=0.2, mu=60.0, angle=3.0)), PLACE, DUST, 1)
    assert (one.status, one.prior) == ("mass_measured", "not_expected")
    assert found(one)["Mtot"].value > 100


def test_a_plain_model_has_what_the_galaxy_expects():
    one = describe(without(stored(), "rho", "pi_E_N", "pi_E_E"), PLACE, DUST, 1)
    assert (one.status, one.parallax, one.prior) == ("prior_only", "not_fitted", "done")
    rows = found(one, "prior")
    assert 0.05 < rows["Mtot"].lower < rows["Mtot"].upper < 2
    assert rows["D_L"].upper < rows["D_S"].upper
    assert "theta_star" in found(one)


@pytest.mark.parametrize(
    ("blend", "status"), [(-500.0, "negative"), (-1.0, "consistent_with_zero"), (900.0, "positive")]
)
def test_a_blend_limits_the_light_of_the_lens(blend, status):
    model = stored()
    at = model.covariance_of.index("F146_0")
    covariance = model.covariance.copy()
    covariance[at], covariance[:, at] = 0, 0
    covariance[at, at] = 100.0
    dim = dataclasses.replace(model, flux=model.flux | {("F146", 0): blend}, covariance=covariance)
    one = describe(dim, PLACE, DUST, 1)
    assert one.blend == status
    assert found(one, "limit")["lens_flux_F146"].upper == pytest.approx(max(blend, 0) + 16.45, rel=0.05)


def test_without_a_covariance_it_says_so():
    model = dataclasses.replace(stored(), covariance=None)
    one = describe(model, PLACE, DUST, 1)
    assert one.drawn_from == "errors"
    assert (one.status, one.blend) == ("mass_measured", "unknown")
    assert found(one)["Mtot"].value == pytest.approx(Truth().mass, rel=0.1)


def test_a_fit_that_did_not_end_has_a_row_without_numbers():
    one = describe(dataclasses.replace(stored(), is_converged=False), PLACE, DUST, 1)
    assert (one.status, one.quantities) == ("not_converged", [])


def test_an_event_without_a_time_scale_has_one_too():
    model = stored()
    one = describe(
        dataclasses.replace(model, error=model.error | {"t_E": np.nan}, covariance=None), PLACE, DUST, 1
    )
    assert (one.status, one.quantities) == ("no_time_scale", [])


def test_an_event_that_no_lens_of_the_galaxy_makes_says_so():
    model = without(stored(), "rho", "pi_E_N", "pi_E_E")
    odd = dataclasses.replace(model, value=model.value | {"t_E": 1e-5}, error={}, covariance=None)
    one = describe(odd, PLACE, DUST, 1)
    assert (one.status, one.prior) == ("not_expected", "not_expected")
    assert not found(one, "prior")


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.0))
def test_a_source_twice_as_large_has_a_lens_twice_as_heavy(factor):
    """At the same rho, time and parallax, θ_E, μ, the mass and the relative parallax go with θ*."""
    model = without(stored(pi_err=0.002), "nothing")
    bright = {key: flux * factor**2 for key, flux in model.flux.items()}
    scale = np.array([factor**2 if name.startswith("F") else 1.0 for name in model.covariance_of])
    other = dataclasses.replace(model, flux=bright, covariance=model.covariance * np.outer(scale, scale))
    first, second = (found(describe(one, PLACE, DUST, 3, 500)) for one in (model, other))
    for name in ("theta_star", "thetaE", "mu_rel", "Mtot", "pi_rel"):
        assert second[name].value == pytest.approx(factor * first[name].value, rel=1e-6)
    assert second["piE"] == first["piE"]


def test_the_motion_for_the_sun_differs_by_that_of_the_earth():
    rows = found(describe(stored(pi_err=0.002), PLACE, DUST, 1))
    north, east = (rows[f"mu_rel_hel_{one}"].value - rows[f"mu_rel_{one}"].value for one in "NE")
    # 2 π au a year, nearly along the ecliptic, times 0.078 mas.
    assert np.hypot(north, east) < 2 * np.pi * 1.02 * rows["pi_rel"].value
    assert T_0 > 2_461_000


def test_a_posterior_that_is_no_gaussian_is_what_quantities_follow_from():
    """Two solutions in rho: so are the Einstein radii, and a Gaussian would put most of them between."""
    truth = Truth()
    model = stored(truth)
    rng, n = np.random.default_rng(3), 500
    sample = {name: np.full(n, value) for name, value in model.value.items()}
    sample |= {f"{element}_{number}": np.full(n, one) for (element, number), one in model.flux.items()}
    sample |= {name: sample[name] + rng.normal(0, 1e-4, n) for name in ("pi_E_N", "pi_E_E")}
    sample["rho"] = model.value["rho"] * np.where(rng.uniform(size=n) < 0.5, 1.0, 4.0)
    one = describe(dataclasses.replace(model, sample=sample), PLACE, DUST, 1)
    assert (one.status, one.drawn_from) == ("mass_measured", "posterior")
    rows = found(one)
    assert rows["thetaE"].upper == pytest.approx(truth.theta_e, rel=0.1)
    assert rows["thetaE"].lower == pytest.approx(truth.theta_e / 4, rel=0.1)


def test_what_was_drawn_together_stays_together():
    """The angular radius goes with the flux of the source, and so does rho here: their ratio is as it was."""
    model = stored(relative=0.2)
    rng, n = np.random.default_rng(4), 500
    stretch = np.exp(0.1 * rng.normal(size=n))
    sample = {name: np.full(n, value) for name, value in model.value.items()}
    sample |= {f"{element}_{number}": one * stretch**2 for (element, number), one in model.flux.items()}
    sample["rho"] = model.value["rho"] * stretch
    dust = {name: Dust(one.extinction, 0.0) for name, one in DUST.items()}
    rows = found(describe(dataclasses.replace(model, sample=sample), PLACE, dust, 1))
    width = {name: np.log(rows[name].upper / rows[name].lower) / 2 for name in ("theta_star", "thetaE")}
    # Stars scatter by a twentieth about the relation.
    assert width["theta_star"] == pytest.approx(np.hypot(0.1, 0.05), rel=0.12)
    assert width["thetaE"] == pytest.approx(0.05, rel=0.12)


@pytest.mark.parametrize("covariance", [0.0, 0.0035])
def test_errors_of_extinction_that_elements_share_cancel_in_the_colour(covariance):
    n, size = 200_000, 0.06
    draws = {f"{element}_1": np.full(n, 5000.0) for element in ("F146", "F087")}
    dust = {"F146": Dust(0.8, size, size**2), "F087": Dust(2.0, size, covariance)}
    source = source_of(draws, ["F146", "F087"], dust, np.random.default_rng(1))
    assert np.std(source.colour) == pytest.approx(np.sqrt(2 * size**2 - 2 * covariance), rel=0.01)
    assert np.std(source.intrinsic["F087"]) == pytest.approx(size, rel=0.01)
