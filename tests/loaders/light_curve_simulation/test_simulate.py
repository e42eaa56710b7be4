"""Simulated light curves: the same from the same seed, and as the distributions and the noise say."""

import numpy as np
import pytest

from loaders.event_models.point_lens import magnification
from loaders.light_curve_simulation import simulate as simulation
from loaders.light_curve_simulation.artefacts import MASKED
from loaders.light_curve_simulation.schedule import SEASONS, Cadence
from loaders.light_curve_simulation.simulate import ARTEFACTS, EVENTS, KINDS, VARIABLES, Recipe

SHORT = Cadence(seasons=((61448.0, 61468.0), (61636.0, 61646.0)))


def survey(**options):
    return simulation.prepare(Recipe(**({"seed": 11, "cadence": SHORT} | options)))


@pytest.fixture(scope="module")
def mixed():
    made = survey()
    return [simulation.simulate(made, number) for number in range(150)]


def test_a_number_says_all(mixed):
    again = simulation.simulate(survey(), 77)
    assert (again.kind, again.split, again.truth) == (mixed[77].kind, mixed[77].split, mixed[77].truth)
    for element, points in again.points.items():
        np.testing.assert_array_equal(points.flux, mixed[77].points[element].flux)


def test_another_seed_makes_others():
    first, second = (simulation.simulate(survey(seed=seed), 3).points["F146"].flux for seed in (1, 2))
    assert first.size != second.size or not np.any(first == second)


def test_all_is_finite_and_all_classes_come(mixed):
    assert {curve.kind for curve in mixed} >= {"constant", "point_lens", "planet", "free_floating"}
    for curve in mixed:
        for points in curve.points.values():
            assert np.all(np.isfinite(points.flux))
            assert np.all(points.flux_err > 0)
        assert all(np.isfinite(value) for value in curve.truth.values())


@pytest.mark.parametrize("kind", KINDS)
def test_each_class_can_be_made_alone(kind):
    made = survey(shares={kind: 1.0})
    for number in range(4):
        curve = simulation.simulate(made, number)
        assert curve.kind == kind
        assert np.all(np.isfinite(curve.points["F146"].flux))


def test_constant_stars_scatter_as_their_errors_say():
    made = survey(shares={"constant": 1.0})
    pulls = []
    for number in range(40):
        curve = simulation.simulate(made, number)
        for element, points in curve.points.items():
            good = points.flags == 0
            pull = (points.flux - curve.baseline[element]) / points.flux_err / curve.truth["error_scale"]
            pulls.append(pull[good])
    pull = np.concatenate(pulls)
    low, high = np.percentile(pull, [15.865, 84.135])
    assert (high - low) / 2 == pytest.approx(1.0, abs=0.01)
    assert np.median(pull) == pytest.approx(0.0, abs=0.01)
    assert 2e-4 < np.mean(np.abs(pull) > 5) < 3e-3


def test_an_event_without_parallax_is_that_of_paczynski():
    """The flux of a free-floating planet with a small source, against the formula, within its errors."""
    made = survey(shares={"free_floating": 1.0})
    compared = 0
    for number in range(60):
        curve = simulation.simulate(made, number)
        t = curve.truth
        if t["rho"] > 0.3 * abs(t["u_0"]) or t["rho"] > 0.05:
            continue
        points = curve.points["F146"]
        u = np.hypot(t["u_0"], (points.bjd_tdb - t["t_0"]) / t["t_E"])
        model = curve.baseline["F146"] + t["source_flux_F146"] * (magnification(u) - 1)
        near = (u < 5) & (points.flags == 0)
        pull = (points.flux - model)[near] / points.flux_err[near]
        if near.sum() > 20:
            assert np.median(np.abs(pull)) == pytest.approx(0.6745, abs=4 / np.sqrt(near.sum()))
            compared += 1
    assert compared > 3


def test_a_source_that_is_lensed_twice_has_the_light_of_both():
    """At the peaks, where there is no parallax yet, against the formula; five Einstein times apart."""
    compared = 0
    made = survey(shares={"repeating_lens": 1.0}, cadence=Cadence())
    for number in range(6):
        curve = simulation.simulate(made, number)
        t = curve.truth
        assert abs(t["t_0"] - t["t_0_2"]) > 5 * max(t["t_E"], t["t_E_2"])
        points = curve.points["F146"]
        for own in ("", "_2"):
            u = np.hypot(t[f"u_0{own}"], (points.bjd_tdb - t[f"t_0{own}"]) / t[f"t_E{own}"])
            near = (np.abs(points.bjd_tdb - t[f"t_0{own}"]) < 0.02 * t[f"t_E{own}"]) & (points.flags == 0)
            if near.sum() < 20 or abs(t[f"u_0{own}"]) < 3 * t[f"rho{own}"]:
                continue
            model = curve.baseline["F146"] + t["source_flux_F146"] * (magnification(u) - 1)
            pull = (points.flux - model)[near] / points.flux_err[near] / t["error_scale"]
            assert abs(np.median(pull)) < 5 * 1.2533 / np.sqrt(near.sum()) + 1e-3 * np.median(
                points.flux[near] / points.flux_err[near]
            )
            compared += 1
    assert compared > 3


def test_the_mix_is_what_it_was_before_sources_were_lensed_twice(mixed):
    kinds = [kind for kind in KINDS if kind != "repeating_lens"]
    share = np.array([Recipe(11).shares[kind] for kind in kinds])
    for curve in mixed:
        rng = np.random.default_rng([11, 1, curve.number])
        assert kinds[int(rng.choice(len(kinds), p=share / share.sum()))] == curve.kind


def test_events_are_brighter_than_their_baselines(mixed):
    for curve in mixed:
        if curve.kind in EVENTS:
            points = curve.points["F146"]
            pull = (points.flux - curve.baseline["F146"]) / points.flux_err
            assert np.median(pull) > -0.2
            assert curve.truth["source_flux_F146"] <= curve.baseline["F146"] * (1 + 1e-12)


def test_the_parts_are_fixed_and_even():
    parts = [simulation.split_of(5, number, 0.5) for number in range(4000)]
    assert parts[:100] == [simulation.split_of(5, number, 0.5) for number in range(100)]
    assert np.mean([part == "test" for part in parts]) == pytest.approx(0.5, abs=0.03)
    less = [simulation.split_of(5, number, 0.2) for number in range(4000)]
    # What is of a small test part is of a larger one, too.
    assert all(whole == "test" for small, whole in zip(less, parts, strict=True) if small == "test")


def test_flags_mark_points_that_are_off(mixed):
    flagged = np.concatenate([c.points["F146"].flags for c in mixed])
    assert set(np.unique(flagged)) == {0, MASKED}
    assert np.mean(flagged > 0) == pytest.approx(1e-3, rel=0.3)


def test_unknown_classes_are_refused():
    with pytest.raises(ValueError, match="unknown classes comet"):
        Recipe(1, shares={"comet": 1.0})
    with pytest.raises(ValueError, match="not all 0"):
        Recipe(1, shares={"planet": 0.0})


def test_no_class_is_of_two_kinds():
    assert len(set(KINDS)) == len(KINDS) == len(EVENTS) + 1 + len(VARIABLES) + len(ARTEFACTS)
    assert len(SEASONS) == 6
