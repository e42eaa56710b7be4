"""Rounds and light of events against brute force and closed forms."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from loaders.event_images.light import event_light, rounds_of

RA, DEC = 268.0, -29.5


def field(number, side, seed=3):
    """Places in a square of some arcseconds."""
    rng = np.random.default_rng(seed)
    ra = RA + rng.uniform(0, side, number) / 3600 / np.cos(np.radians(DEC))
    return ra, DEC + rng.uniform(0, side, number) / 3600


@pytest.mark.parametrize(("number", "side"), [(1, 1), (300, 60), (80, 5)])
def test_events_of_a_round_are_apart_and_no_round_is_needless(number, side):
    ra, dec = field(number, side)
    numbers = rounds_of(ra, dec, 2.0)
    place = SkyCoord(ra * u.deg, dec * u.deg)
    near = place[:, None].separation(place[None]).arcsec < 2.0
    for k in range(number):
        earlier = set(numbers[:k][near[k, :k]].tolist())
        assert numbers[k] not in earlier
        # Each has the first round that is free.
        assert set(range(numbers[k])) <= earlier


def test_events_of_one_star_take_turns():
    assert rounds_of(np.full(4, RA), np.full(4, DEC)).tolist() == [0, 1, 2, 3]


def test_light_is_the_flux_of_the_source_times_the_rise():
    bjd = 2461448.5 + np.linspace(0, 60, 200)
    quiet = {"rho": 0.0, "pi_E_N": 0.0, "pi_E_E": 0.0}
    events = [
        {"t_0": bjd[70], "t_0_par": bjd[70], "t_E": t_e, "u_0": u_0, **quiet}
        for t_e, u_0 in ((5.0, 0.2), (30.0, -0.9))
    ]
    flux = np.array([1000.0, 40.0])
    light = event_light(events, flux, field(2, 10), bjd, "F146")
    for k, event in enumerate(events):
        square = event["u_0"] ** 2 + ((bjd - event["t_0"]) / event["t_E"]) ** 2
        rise = (square + 2) / np.sqrt(square * (square + 4)) - 1
        np.testing.assert_allclose(light[k], flux[k] * rise, rtol=1e-5, atol=1e-6 * flux[k])


@pytest.mark.parametrize(("element", "u"), [("F087", 0.45), ("F213", 0.25)])
def test_limbs_of_large_sources_are_dark(element, u):
    """At the centre, by the integral over rings of a linear law."""
    rho, bjd = 0.5, np.array([2461478.5])
    event = {
        "t_0": bjd[0],
        "t_0_par": bjd[0],
        "t_E": 9.0,
        "u_0": 0.0,
        "rho": rho,
        "pi_E_N": 0.0,
        "pi_E_E": 0.0,
    }
    (((light,),)) = event_light([event], np.array([100.0]), field(1, 10), bjd, element)
    r = np.linspace(0, rho, 200_001)[1:]
    ring = r * (1 - u * (1 - np.sqrt(1 - (r / rho) ** 2)))
    magnified = (r**2 + 2) / (r * np.sqrt(r**2 + 4))
    assert light == pytest.approx(100 * (np.sum(ring * magnified) / np.sum(ring) - 1), rel=1e-3)
