"""Angular radii, against the Sun and the relations from which they were made."""

import numpy as np
import pytest
from astropy import constants, units
from hypothesis import given
from hypothesis import strategies as st

from loaders.lens_physics.surface_brightness import (
    PAIRS,
    SCATTER,
    brightness_temperatures,
    surface_brightness,
)
from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.throughput import ab_zero_rate, count_rate

#: The Sun at 10 pc, AB: V, SDSS i and z, 2MASS J, H and Ks (Willmer 2018, ApJS 236, 47), by wavelength in m.
_SUN = {0.55e-6: 4.80, 0.76e-6: 4.53, 0.89e-6: 4.50, 1.235e-6: 4.54, 1.662e-6: 4.66, 2.159e-6: 5.08}


def sun(element):
    """AB magnitude of the Sun at 10 pc, of a spectrum through its magnitudes."""
    area = effective_area("WFI01", element)
    wave = np.linspace(area.wavelength[0], area.wavelength[-1], 500)
    magnitude = np.interp(np.log(wave), np.log(list(_SUN)), list(_SUN.values()))
    flux = 3631e-26 * 10 ** (-0.4 * magnitude) * constants.c.si.value / wave**2
    return -2.5 * np.log10(count_rate(wave, flux, area) / ab_zero_rate("WFI01", element))


@pytest.mark.parametrize("pair", PAIRS)
def test_the_sun_in_the_bulge_has_its_size(pair):
    """0.58 μas at 8 kpc, within what stars scatter about the relation."""
    distance = 8 * units.kpc
    modulus = 5 * np.log10((distance / (10 * units.pc)).to_value(units.one))
    colour = sun(pair[0]) - sun(pair[1])
    found = surface_brightness().angular_radius(pair, colour, sun("F146") + modulus)
    truth = (constants.R_sun / distance).to_value(units.one) * units.rad.to(units.mas)
    assert truth == pytest.approx(5.8e-4, rel=0.01)
    assert abs(np.log(found / truth)) < SCATTER[pair]


def test_surfaces_are_as_hot_as_the_stars():
    """An A0, a G2 and a K5 star by V-K: 9,600, 5,770 and 4,400 K, to what opacity makes of it."""
    _, temperature = brightness_temperatures(np.array([0.0, 1.54, 2.8]))
    for at, effective in zip(temperature.T, (9600, 5770, 4400), strict=True):
        assert np.abs(at / effective - 1).max() < 0.2


@pytest.mark.parametrize("pair", PAIRS)
def test_colours_go_with_temperature(pair):
    relation = surface_brightness()
    colour = relation.magnitude[pair[0]] - relation.magnitude[pair[1]]
    assert (np.diff(colour) > 0).all()
    blue, red = relation.colour_range(pair)
    outside = relation.angular_radius(pair, np.array([blue - 0.01, red + 0.01]), np.zeros(2))
    assert np.isnan(outside).all()


@given(st.floats(-0.5, 0.45), st.floats(10, 25), st.floats(-5, 5))
def test_a_fainter_star_is_smaller(colour, magnitude, more):
    relation = surface_brightness()
    first = relation.angular_radius(PAIRS[0], colour, magnitude)
    assert relation.angular_radius(PAIRS[0], colour, magnitude + more) == pytest.approx(
        first * 10 ** (-more / 5)
    )


def test_detectors_agree():
    first, last = surface_brightness("WFI01"), surface_brightness("WFI18")
    for element, magnitude in first.magnitude.items():
        assert np.abs(last.magnitude[element] - magnitude).max() < 0.02
