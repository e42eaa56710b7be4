"""Angular radii, against the Sun and the relations from which they were made."""

import numpy as np
import pytest
from astropy import constants, units
from hypothesis import given
from hypothesis import strategies as st

from loaders.lens_physics import mean_dwarfs
from loaders.lens_physics.mean_dwarfs import dwarfs_of_one_mas
from loaders.lens_physics.surface_brightness import (
    DWARF_SCATTER,
    PAIRS,
    SCATTER,
    brightness_temperatures,
    stars_of_one_mas,
    surface_brightness,
)
from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.throughput import ab_zero_rate, count_rate

#: The Sun at 10 pc, AB: V, SDSS i and z, 2MASS J, H and Ks (Willmer 2018, ApJS 236, 47), by wavelength in m.
_SUN = {0.55e-6: 4.80, 0.76e-6: 4.53, 0.89e-6: 4.50, 1.235e-6: 4.54, 1.662e-6: 4.66, 2.159e-6: 5.08}


SUN_AT_10_PC = float((constants.R_sun / (10 * units.pc)).to_value(units.one) * units.rad.to(units.mas))


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
    _, temperature = brightness_temperatures(stars_of_one_mas(np.array([0.0, 1.54, 2.8])))
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


@given(st.floats(-0.5, 0.01), st.floats(10, 25), st.floats(-5, 5))
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


def mann(m_k):
    """Radii of M dwarfs by K at 10 pc, of the Sun's (Mann et al. 2015, ApJ 804, 64, table 1)."""
    return 1.9515 - 0.3520 * m_k + 0.01680 * m_k**2


@pytest.mark.parametrize("pair", PAIRS)
def test_m_dwarfs_in_the_bulge_have_their_sizes(pair):
    """By colour and F146, as by K alone with the radii of Mann et al."""
    relation = surface_brightness()
    m_k, width = np.array(mean_dwarfs._SEQUENCE).T[4], 2 * SUN_AT_10_PC * mean_dwarfs._SEQUENCE.T[5]
    colour = relation.dwarf[pair[0]] - relation.dwarf[pair[1]]
    f146 = relation.dwarf["F146"] - 5 * np.log10(width) + 5 * np.log10(800)
    found = relation.angular_radius(pair, colour[1:], f146[1:])
    held = m_k[1:] > 5
    assert held.sum() > 8
    truth = mann(m_k[1:]) * SUN_AT_10_PC / 800
    assert found[held] == pytest.approx(truth[held], rel=DWARF_SCATTER)
    assert (np.diff(colour) > 0).all()


def test_m_dwarfs_are_as_hot_as_they_are():
    """All light of the surface is that of a black body of the effective temperature: of M0, M3 and M5."""
    wave = np.geomspace(0.3e-6, 30e-6, 3000)
    wavelength, temperature = brightness_temperatures(dwarfs_of_one_mas())
    effective = dict(zip(dwarfs_of_one_mas()["V"] - dwarfs_of_one_mas()["K"], temperature.T, strict=True))
    for v_k, truth in ((3.65, 3850), (4.60, 3430), (5.95, 3060)):
        at = next(value for key, value in effective.items() if key == pytest.approx(v_k))
        black = np.interp(np.log(wave), np.log(wavelength), at)
        hc_k = (constants.h * constants.c / constants.k_B).si.value
        flux = 2 * constants.h.si.value * constants.c.si.value**2 / wave**5 / np.expm1(hc_k / (wave * black))
        total = np.pi * np.trapezoid(flux, wave)
        assert (total / constants.sigma_sb.si.value) ** 0.25 == pytest.approx(truth, rel=0.05)


def test_late_dwarfs_are_larger_than_giants_of_their_colour_and_early_ones_alike():
    relation, pair = surface_brightness(), PAIRS[0]
    for colour, least, most in ((0.05, 0.97, 1.03), (0.30, 0.95, 1.05), (0.55, 1.15, 1.25)):
        bright, faint = relation.angular_radius(pair, np.full(2, colour), np.array([15.0, 20.0]))
        assert least < faint * 10 / bright < most
    assert np.isnan(relation.angular_radius(pair, 0.9, 15.0))
    assert np.isfinite(relation.angular_radius(pair, 0.9, 22.0))
