from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from scipy.stats import kstest

from loaders.simulation.parameters import SimulationParameters, StarParameters, parameters_from_mapping
from loaders.simulation.population import Field, draw_magnitudes, draw_stars
from loaders.simulation.scene import Scene, make_scene
from loaders.simulation.variability import SHAPES, Variables, flux_factor

FIELD = Field(268.0, -29.2, 60.0, 2027.0)


def test_number_of_stars_is_density_times_area(star_parameters: StarParameters) -> None:
    stars = draw_stars(FIELD, star_parameters, np.random.default_rng(1))
    expected = star_parameters.density_per_arcmin2 * 4.0
    assert stars.magnitude.size == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_positions_fill_the_square(star_parameters: StarParameters) -> None:
    at = draw_stars(FIELD, star_parameters, np.random.default_rng(1)).astrometry
    x = (at.ra - 268.0) * np.cos(np.radians(at.dec)) * 3600
    y = (at.dec + 29.2) * 3600
    for values in (x, y):
        assert kstest(values, "uniform", args=(-60, 120)).pvalue > 1e-3


def test_magnitudes_follow_the_luminosity_function(star_parameters: StarParameters) -> None:
    flat = replace(
        star_parameters,
        luminosity_magnitude=(18.0, 24.0),
        luminosity_log_count=(0.0, 1.8),
        clump_fraction=0.0,
    )
    magnitude = draw_magnitudes(flat, 20000, np.random.default_rng(2))

    def cumulative(m: np.ndarray) -> np.ndarray:
        return np.asarray((10 ** (0.3 * (m - 18)) - 1) / (10 ** (0.3 * 6) - 1))

    assert kstest(magnitude, cumulative).pvalue > 1e-3


def test_red_clump_stands_out(star_parameters: StarParameters) -> None:
    clumpy = replace(star_parameters, clump_fraction=0.3)
    magnitude = draw_magnitudes(clumpy, 20000, np.random.default_rng(2))
    near = np.abs(magnitude - star_parameters.clump_magnitude) < 3 * star_parameters.clump_sigma
    assert near.mean() == pytest.approx(0.3, abs=0.02)


def test_proper_motions_are_galactic(star_parameters: StarParameters) -> None:
    stars = draw_stars(FIELD, star_parameters, np.random.default_rng(3))
    rate, at = units.mas / units.yr, stars.astrometry
    galactic = SkyCoord(
        at.ra * units.deg, at.dec * units.deg, pm_ra_cosdec=at.pmra * rate, pm_dec=at.pmdec * rate
    ).galactic
    for population in star_parameters.populations:
        rows = stars.population == population.name
        pm_l = galactic.pm_l_cosb.to_value(rate)[rows]
        assert pm_l.mean() == pytest.approx(
            population.pm_l, abs=5 * population.pm_l_sigma / np.sqrt(rows.sum())
        )
        assert pm_l.std() == pytest.approx(population.pm_l_sigma, rel=0.05)


def test_scene_is_the_same_again(parameters: SimulationParameters, scene: Scene) -> None:
    again = make_scene(parameters)
    np.testing.assert_array_equal(again.stars.astrometry.ra, scene.stars.astrometry.ra)
    np.testing.assert_array_equal(again.events.t0, scene.events.t0)
    np.testing.assert_array_equal(again.star_magnitude["F087"], scene.star_magnitude["F087"])
    other = make_scene(replace(parameters, scene=replace(parameters.scene, seed=5)))
    assert other.stars.magnitude.size != scene.stars.magnitude.size


def test_variables_and_events_are_different_stars_in_range(scene: Scene) -> None:
    used = np.concatenate([scene.variables.star, scene.events.star])
    assert np.unique(used).size == used.size > 5
    for c in scene.parameters.scene.variables:
        rows = scene.variables.star[scene.variables.kind == c.kind]
        assert (
            (scene.stars.magnitude[rows] >= c.magnitude[0]) & (scene.stars.magnitude[rows] <= c.magnitude[1])
        ).all()


def test_stars_at_rest_are_constant(scene: Scene) -> None:
    factor = scene.flux_factor(np.array([61464.0, 61470.0]))
    varying = np.concatenate([scene.variables.star, scene.events.star])
    still = np.setdiff1d(np.arange(factor.shape[1]), varying)
    assert (factor[:, still] == 1.0).all()
    peak = scene.flux_factor(scene.events.t0)[0, scene.events.star[0]]
    assert peak == pytest.approx(10.0, rel=0.2)  # u0 = 0.1, rho = 0.05


def test_a_scene_without_variables_or_events_can_be_made() -> None:
    empty = parameters_from_mapping(
        {
            "scene": {"variables": [], "events": [], "galaxies": {"density_per_arcmin2": 0}},
            "survey": {"window": {"x": 10, "y": 10, "width": 20, "height": 20}},
        }
    )
    scene = make_scene(empty)
    assert scene.galaxies.ra.size == scene.variables.star.size == scene.events.star.size == 0
    assert (scene.flux_factor(np.array([61464.0])) == 1.0).all()


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_variable_has_its_period_and_amplitude(kind: str) -> None:
    row = Variables(np.array([0]), np.array([kind]), np.array([0.7]), np.array([0.5]), np.array([61464.0]))
    time = 61464.0 + np.linspace(0, 0.7, 5000)
    factor = flux_factor(row, time)[:, 0]
    assert 2.5 * np.log10(factor.max() / factor.min()) == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(flux_factor(row, time + 7.0)[:, 0], factor, rtol=0, atol=1e-6)


def test_eclipses_leave_most_of_the_time_untouched() -> None:
    row = Variables(np.array([0]), np.array(["eclipsing"]), np.array([1.0]), np.array([0.5]), np.array([0.0]))
    factor = flux_factor(row, np.linspace(0, 1, 1000, endpoint=False))[:, 0]
    assert np.mean(factor == 1.0) > 0.7
    assert factor[0] < factor[500] < 1.0


def test_an_unknown_kind_of_variable_is_named() -> None:
    row = Variables(np.array([0]), np.array(["pulsar"]), np.array([1.0]), np.array([0.5]), np.array([0.0]))
    with pytest.raises(ValueError, match="'pulsar'"):
        flux_factor(row, np.zeros(1))
