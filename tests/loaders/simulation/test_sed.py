from __future__ import annotations

import numpy as np
import pytest
from astropy import units
from astropy.modeling.models import BlackBody

from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.sed import black_body, colour_grid, extinction
from loaders.simulation.throughput import ab_zero_rate, count_rate


def test_black_body_is_astropys() -> None:
    wavelength = np.linspace(0.5e-6, 2.3e-6, 50)
    scale = units.W / units.m**3 / units.sr
    theirs = BlackBody(5000 * units.K, scale=1 * scale)
    expected = theirs(wavelength * units.m).value / theirs(1.5e-6 * units.m).value
    np.testing.assert_allclose(black_body(wavelength, np.array([5000.0]))[:, 0], expected, rtol=1e-10)


def test_extinction_has_the_values_of_the_papers_table() -> None:
    # Cardelli, Clayton & Mathis (1989), table 3, R_V = 3.1: V, R, I, J, H, K.
    wavelength = 1e-6 / np.array([1.82, 1.43, 1.11, 0.80, 0.63, 0.46])
    np.testing.assert_allclose(extinction(wavelength), [1.0, 0.751, 0.479, 0.282, 0.190, 0.114], atol=2.5e-3)


def test_extinction_refuses_wavelengths_beyond_its_range() -> None:
    with pytest.raises(ValueError, match=r"0\.30 to 3\.3 micron"):
        extinction(np.array([5e-6]))


def test_interpolated_colours_are_good_to_a_millimagnitude() -> None:
    grid = colour_grid("WFI07", "F146", ("F087", "F213"))
    rng = np.random.default_rng(1)
    temperature, a_v = rng.uniform(2800, 12000, 40), rng.uniform(0, 6, 40)
    for element in ("F087", "F213"):
        direct = np.array(
            [_colour(element, t, a) - _colour("F146", t, a) for t, a in zip(temperature, a_v, strict=True)]
        )
        np.testing.assert_allclose(grid.colour(element, temperature, a_v), direct, atol=2.5e-3)


def test_dust_and_cool_stars_are_red() -> None:
    grid = colour_grid("WFI07", "F146", ("F087",))
    hot, cool, dusty = grid.colour("F087", np.array([9000.0, 3500.0, 9000.0]), np.array([0.0, 0.0, 3.0]))
    assert hot < cool
    assert hot < dusty


def _colour(element: str, temperature: float, a_v: float) -> float:
    band = effective_area("WFI07", element)
    spectrum = black_body(band.wavelength, np.array([temperature]))[:, 0]
    spectrum = spectrum * 10 ** (-0.4 * a_v * extinction(band.wavelength))
    return float(
        -2.5 * np.log10(count_rate(band.wavelength, spectrum, band) / ab_zero_rate("WFI07", element))
    )
