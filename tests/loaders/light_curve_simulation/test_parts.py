"""Times, errors, stars and lenses of simulated light curves, each against what is published or measured."""

import csv
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord, get_body_barycentric
from astropy.time import Time
from scipy.stats import kstest

from loaders.light_curve_simulation import orbits
from loaders.light_curve_simulation.lenses import draw_event, planet_mass_ratio
from loaders.light_curve_simulation.noise import _HAZE, EXPOSURE_TIME, NOISE_PIXELS, band_noise
from loaders.light_curve_simulation.schedule import SEASONS, Cadence, barycentric, exposure_times
from loaders.light_curve_simulation.stars import draw_blend, draw_star
from loaders.light_curve_simulation.variables import VARIABLES, draw_variable
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.simulation.instrument_tables import zodiacal_rate
from loaders.simulation.parameters import default_parameters
from loaders.simulation.population import draw_magnitudes
from loaders.simulation.throughput import flux_njy

ROWS = Path(__file__).parents[3] / "schema" / "rows"


@pytest.fixture(scope="module")
def times():
    return exposure_times(Cadence(), np.random.default_rng(1))


def test_seasons_are_those_of_the_survey():
    with (ROWS / "roman.season.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["survey"] == "gbtds"]
    assert [(float(row["start_mjd"]), float(row["end_mjd"])) for row in rows] == list(SEASONS)


def test_the_cadence_is_that_of_the_survey(times):
    with (ROWS / "roman.cadence.csv").open() as stream:
        rows = {row["optical_element"]: row for row in csv.DictReader(stream) if row["survey"] == "gbtds"}
    for element, at in times.items():
        wanted = float(rows[element]["interval_minutes"])
        assert np.median(np.diff(at)) * 1440 == pytest.approx(wanted, rel=0.02)
        assert np.all(np.diff(at) > 0)
    days = sum(last - first for first, last in SEASONS)
    # A hundredth of the visits and of the time of momentum unloadings are lost.
    assert 0.96 < times["F146"].size * 12.1 / 1440 / days < 0.99


def test_no_two_exposures_are_at_a_time(times):
    every = np.sort(np.concatenate(list(times.values())))
    assert np.diff(every).min() * 86400 > 120


def test_barycentric_times_are_those_of_astropy():
    mjd = np.linspace(61448.0, 62981.0, 50)
    time = Time(mjd, format="mjd", scale="tdb")
    sun, earth = (get_body_barycentric(body, time) for body in ("sun", "earth"))
    place = earth + 0.010078 * (earth - sun)
    star = SkyCoord(268.0, -29.3, unit="deg").cartesian
    delay = place.dot(star).to_value(units.au) * 499.004783836 / 86400
    np.testing.assert_allclose(barycentric(mjd, 268.0, -29.3) - 2400000.5 - mjd, delay, atol=2e-9)


@pytest.mark.parametrize("element", ["F087", "F146", "F213"])
def test_noise_pixels_are_those_of_the_telescope(element):
    stamp = optical_psf("WFI07", element, [2048.0], [2048.0], OpticsSettings(half_width=20, jitter=0.016))
    image = stamp.at(2048.0, 2048.0)
    phases = [image[i::4, j::4] for i in range(4) for j in range(4)]
    measured = 1 / np.mean([np.sum(phase**2) / phase.sum() ** 2 for phase in phases])
    assert NOISE_PIXELS[element] == pytest.approx(measured, rel=0.03)


def test_errors_are_those_of_stored_light_curves():
    """README's event: 210.44 nJy at 60066 nJy in F146, of a star with neighbours."""
    assert band_noise("F146").error(np.array(60066.0)) == pytest.approx(210.44, rel=0.12)


def test_haze_is_the_light_of_the_stars():
    stars = default_parameters().scene.stars
    flux = flux_njy(draw_magnitudes(stars, 300_000, np.random.default_rng(7)))
    faint = np.where(flux < flux_njy(17.0), flux, 0.0).mean()
    a_pixel = stars.density_per_arcmin2 * (0.11 / 60) ** 2 * faint
    rate = a_pixel * band_noise("F146").electrons / EXPOSURE_TIME
    assert rate / zodiacal_rate("F146") == pytest.approx(_HAZE, rel=0.05)


def test_errors_of_bright_and_faint_stars():
    noise = band_noise("F146")
    bright, faint = flux_njy(12.0), flux_njy(27.0)
    assert noise.error(bright) / bright == pytest.approx(1e-3, rel=0.1)
    assert noise.error(faint) == pytest.approx(noise.error(np.array(0.0)), rel=0.02)


def test_sources_are_as_large_as_stars_of_the_bulge():
    """A solar twin at 8 kpc has 0.58 microarcsec; giants of the clump six to twelve times that."""
    rng = np.random.default_rng(2)
    dwarfs = [draw_star(rng, 19.6, 20.4).angular_radius for _ in range(100)]
    giants = [draw_star(rng, 15.3, 15.9).angular_radius for _ in range(100)]
    assert 0.35e-3 < np.median(dwarfs) < 0.9e-3
    assert 3.5e-3 < np.median(giants) < 8e-3


def test_blends_follow_the_density_of_stars():
    rng = np.random.default_rng(3)
    blended = [draw_blend(rng)["F146"] > 0 for _ in range(3000)]
    assert np.mean(blended) == pytest.approx(1 - np.exp(-13500 * np.pi * 0.09**2 / 3600), abs=0.03)


def test_mass_ratios_of_planets_follow_suzuki():
    q = planet_mass_ratio(np.random.default_rng(4).uniform(size=200_000))
    assert q.min() >= 1e-6 * (1 - 1e-9)
    assert q.max() <= 0.03 * (1 + 1e-9)
    for low, high, slope in ((2e-6, 1.2e-4, 0.6), (3e-4, 0.02, -0.93)):
        edge = np.geomspace(low, high, 9)
        count = np.histogram(q, edge)[0]
        centre = np.log(np.sqrt(edge[1:] * edge[:-1]))
        assert np.polyfit(centre, np.log(count), 1)[0] == pytest.approx(slope, abs=0.05)
    # The density is continuous at the break.
    counts = np.histogram(q, 1.7e-4 * np.exp([-0.1, 0, 0.1]))[0]
    assert counts[0] / counts[1] == pytest.approx(1.0, abs=0.15)


def test_events_follow_their_distributions():
    rng = np.random.default_rng(5)
    star = draw_star(rng, 20.0, 22.0)
    events = [draw_event("planet", star, SEASONS, rng) for _ in range(800)]
    alpha = np.array([event["alpha"] for event in events])
    log_s = np.log([event["s"] for event in events])
    assert kstest(alpha / 360, "uniform").pvalue > 1e-3
    assert kstest((log_s - np.log(0.3)) / np.log(10), "uniform").pvalue > 1e-3
    assert np.median([event["t_E"] for event in events]) == pytest.approx(20, rel=0.15)
    for event in events[:50]:
        mjd = event["t_0"] - 2400000.5
        assert any(first <= mjd <= last for first, last in SEASONS)
        assert event["rho"] == pytest.approx(star.angular_radius / event["theta_E"])
        pi_e = np.hypot(event["pi_E_N"], event["pi_E_E"])
        assert event["lens_mass"] == pytest.approx(event["theta_E"] / (8.144 * pi_e))


@pytest.mark.parametrize("kind", VARIABLES)
def test_variables_vary_about_their_flux(kind):
    at = {element: np.linspace(2461448.0, 2461948.0, 3000) for element in ("F087", "F146", "F213")}
    rng = np.random.default_rng(6)
    for _ in range(5):
        truth, factors = draw_variable(kind, at, rng)
        for factor in factors.values():
            assert np.all(factor > 0)
        assert all(np.isfinite(value) for value in truth.values())
        if "period" in truth and kind != "long_period":
            assert np.ptp(-2.5 * np.log10(factors["F146"])) < 2.5 * truth["amplitude"]


@pytest.mark.parametrize("number", range(20))
def test_rates_are_those_of_the_orbit(number):
    event = {
        "t_0": 0.0,
        "s": 1.2,
        "alpha": 50.0,
        "theta_E": 0.6,
        "pi_E_N": 0.1,
        "pi_E_E": 0.1,
        "lens_mass": 0.5,
    }
    event |= orbits.orbit_of_lenses(event, np.random.default_rng(number))
    day = 1e-3 * event["orbit_period"]
    s, alpha = orbits.lenses_at(event, np.array([-day, 0.0, day]))
    assert (s[1], alpha[1]) == (pytest.approx(1.2), pytest.approx(50.0))
    assert (s[2] - s[0]) / (2 * day) * 365.25 == pytest.approx(event["ds_dt"], rel=0.02, abs=0.02)
    assert (alpha[2] - alpha[0]) / (2 * day) * 365.25 == pytest.approx(event["dalpha_dt"], rel=0.02)


def test_a_source_comes_back_after_a_period():
    event = {"t_0": 5.0, "theta_E": 0.5}
    event |= orbits.circling_source(event, np.random.default_rng(3))
    along, across = orbits.source_shifts(event, 5.0 + event["xi_period"] * np.arange(3.0))
    np.testing.assert_allclose([along, across], 0.0, atol=1e-9)
