"""What the Galaxy expects, against events drawn from it one by one."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from scipy.stats import ks_2samp

from loaders.lens_physics.galaxy import R_0, Sightline
from loaders.lens_physics.mass_function import number_density
from loaders.lens_physics.prior import Evidence, expected, weighted_quantiles

SIGHT = Sightline(267.8, -29.5)
EARTH = (1.5, 5.5)


@pytest.fixture(scope="module")
def events():
    """Lenses and sources of the Galaxy, as often as they make events: drawn apart, kept by D_L² n θ_E μ."""
    rng, n = np.random.default_rng(5), 3_000_000
    source = SIGHT.source_distance(n, rng)
    lens = rng.uniform(0.05, 1, n) * source
    grid = np.geomspace(0.0101, 12, 20_000)
    share = np.cumsum(number_density(grid) * np.gradient(grid))
    mass = np.interp(rng.uniform(share[0], share[-1], n), share, grid)
    bulge, disc = SIGHT.bulge(lens), SIGHT.disc(lens)
    in_bulge = rng.uniform(0, 1, n) < bulge / (bulge + disc)
    north, east = motions(lens, source, in_bulge, rng)
    pi_rel = 1 / lens - 1 / source
    theta_e = np.sqrt(8.144 * mass * pi_rel)
    # In the frame of the Earth.
    north, east = north - EARTH[0] * pi_rel, east - EARTH[1] * pi_rel
    mu = np.hypot(north, east)
    rate = source * (bulge + disc) * lens**2 * theta_e * mu
    kept = rng.uniform(0, np.quantile(rate, 0.9999), n) < rate
    pi_e = pi_rel / theta_e
    columns = {
        "mass": mass,
        "lens": lens,
        "source": source,
        "theta_e": theta_e,
        "mu": mu,
        "t_e": theta_e / mu * 365.25,
        "north": pi_e * north / mu,
        "east": pi_e * east / mu,
    }
    return {name: one[kept] for name, one in columns.items()}


def motions(lens, source, in_bulge, rng):
    """Heliocentric motions of lenses from sources, towards north and east, mas/yr, star by star."""
    _, north, east, longitude, latitude = SIGHT.axes
    place = SIGHT.place(lens)
    circular = 238.0 * np.stack([place[1], -place[0], 0 * lens]) / np.hypot(*place[:2])
    sun = np.array([11.1, 250.24, 7.25])
    total = np.zeros((2, lens.size))
    for axis, of_bulge, of_disc in ((longitude, 116.0, 33.0), (latitude, 106.0, 18.0)):
        velocity = np.where(
            in_bulge,
            rng.normal(0, of_bulge, lens.size),
            axis @ circular + rng.normal(0, of_disc, lens.size),
        )
        moved = (velocity - sun @ axis) / (4.7405 * lens)
        moved -= (rng.normal(0, of_bulge, lens.size) - sun @ axis) / (4.7405 * source)
        total += np.outer([north @ axis, east @ axis], moved)
    return total


def compare(one, events, chosen):
    """Distributions agree, as far as draws of that number can tell."""
    rng = np.random.default_rng(3)
    picked = rng.choice(one.weight.size, 1500, p=one.weight)
    for name in ("mass", "lens", "source", "theta_e", "mu"):
        statistic = ks_2samp(getattr(one, name)[picked], events[name][chosen]).statistic
        assert statistic < 0.09, (name, statistic)


@pytest.mark.parametrize("t_e", [5.0, 25.0, 80.0])
def test_a_time_scale(events, t_e):
    chosen = np.abs(np.log(events["t_e"] / t_e)) < 0.1
    assert chosen.sum() > 700
    # What is drawn is a likelihood: flat, where events are chosen by their time scale.
    flat = Evidence(np.exp(np.random.default_rng(2).uniform(-0.1, 0.1, 5000)) * t_e, earth=EARTH)
    one = expected(flat, SIGHT, np.random.default_rng(1), 200_000)
    assert one.n_effective > 1000
    compare(one, events, chosen)


def test_a_time_scale_and_a_radius(events):
    chosen = (np.abs(np.log(events["t_e"] / 25)) < 0.2) & (np.abs(np.log(events["theta_e"] / 0.4)) < 0.2)
    assert chosen.sum() > 700
    rng = np.random.default_rng(2)
    t_e, theta_e = 25 * np.exp(rng.uniform(-0.2, 0.2, 9000)), 0.4 * np.exp(rng.uniform(-0.2, 0.2, 9000))
    compare(expected(Evidence(t_e, theta_e, earth=EARTH), SIGHT, rng, 200_000), events, chosen)


@pytest.mark.parametrize("measured", [True, False])
def test_a_time_scale_and_parallax_by_both_ways_to_draw_it(events, measured):
    """Parallax is weighted by a Gaussian, or drawn from it; so are the events."""
    value, covariance = np.array([0.10, 0.12]), np.array([[0.06**2, 0.5 * 0.06**2], [0.5 * 0.06**2, 0.06**2]])
    off = np.stack([events["north"], events["east"]]) - value[:, None]
    likely = np.exp(-0.5 * np.einsum("in,ij,jn->n", off, np.linalg.inv(covariance), off))
    rng = np.random.default_rng(4)
    chosen = (np.abs(np.log(events["t_e"] / 25)) < 0.3) & (rng.uniform(0, 1, likely.size) < likely)
    assert chosen.sum() > 700
    t_e = 25 * np.exp(rng.uniform(-0.3, 0.3, 9000))
    evidence = Evidence(t_e, pi_e=value, pi_e_covariance=covariance, parallax_measured=measured, earth=EARTH)
    compare(expected(evidence, SIGHT, rng, 400_000), events, chosen)


def test_sources_lie_about_the_centre():
    distance = Sightline(266.4, -28.94).source_distance(20_000, np.random.default_rng(1))
    assert np.median(distance) == pytest.approx(R_0, abs=0.4)
    # The near end of the bar is at positive longitudes.
    near, far = (
        Sightline(*place).source_distance(20_000, np.random.default_rng(1)) for place in NEAR_AND_FAR
    )
    assert near.mean() < far.mean() - 0.5


#: l = 5 and -5 degrees, b = -2.
NEAR_AND_FAR = ((271.2, -25.5), (265.05, -34.23))


def test_lenses_are_one_in_all():
    grid = np.geomspace(0.009, 15, 400_000)
    assert np.trapezoid(number_density(grid), grid) == pytest.approx(1, abs=2e-3)
    assert number_density(np.array([0.005, -1.0])).tolist() == [0, 0]


def test_quantiles_of_equal_weights_are_those_of_numpy():
    value = np.random.default_rng(1).normal(size=5001)
    at = np.array([0.16, 0.5, 0.84])
    assert weighted_quantiles(value, np.full(5001, 0.3), at) == pytest.approx(
        np.quantile(value, at), abs=1e-3
    )


def test_a_galactic_frame_is_astropys():
    place = SkyCoord(SIGHT.ra, SIGHT.dec, unit="deg").galactic
    outwards = SIGHT.axes[0]
    assert np.degrees(np.arctan2(outwards[1], outwards[0])) % 360 == pytest.approx(place.l.deg)
    assert np.degrees(np.arcsin(outwards[2])) == pytest.approx(place.b.deg)
    step = SkyCoord(SIGHT.ra, SIGHT.dec + 0.001, unit="deg").galactic
    north = SIGHT.axes[1]
    towards = [(step.l - place.l).deg * np.cos(place.b.rad), (step.b - place.b).deg]
    assert np.array([north @ SIGHT.axes[3], north @ SIGHT.axes[4]]) == pytest.approx(
        np.array(towards) / 0.001, abs=1e-4
    )
