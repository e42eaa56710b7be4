"""The clump through the filters: against synphot's and the simulator's own sums, and the papers' numbers."""

import numpy as np
import pytest
from astropy import units as u
from synphot import Empirical1D, Observation, SourceSpectrum, SpectralElement
from synphot.units import FLAM

from loaders.extinction.bands import band_magnitude, law_ratio, make_bands
from loaders.extinction.configuration import ELEMENTS, configuration_from_mapping
from loaders.simulation.instrument_tables import effective_area
from loaders.simulation.sed import black_body, colour_grid

CONFIGURATION = configuration_from_mapping({})


def test_the_law_has_the_papers_ratios():
    law = CONFIGURATION.law
    np.testing.assert_allclose(law_ratio(np.array(law.wavelength), law), [7.74, 5.38, 3.30, 1.88, 1.0])
    # The abstract has a power law of index -2.47 from J to Ks, on the whole.
    ends = np.log(law_ratio(np.array([0.877, 2.149]), law))
    assert np.diff(ends)[0] / np.log(2.149 / 0.877) == pytest.approx(-2.3, abs=0.1)


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_magnitudes_are_those_of_synphot(element, strength):
    """The same spectrum and filter, integrated by another package."""
    clump, law = CONFIGURATION.clump, CONFIGURATION.law
    micron = np.linspace(0.7, 2.4, 20_000)
    ab = np.interp(np.log(micron), np.log(clump.wavelength), clump.magnitude)
    beyond = micron < clump.wavelength[0]
    slope = (clump.magnitude[1] - clump.magnitude[0]) / np.log(clump.wavelength[1] / clump.wavelength[0])
    ab[beyond] = clump.magnitude[0] + slope * np.log(micron[beyond] / clump.wavelength[0])
    last = micron > clump.wavelength[-1]
    slope = (clump.magnitude[3] - clump.magnitude[2]) / np.log(clump.wavelength[3] / clump.wavelength[2])
    ab[last] = clump.magnitude[3] + slope * np.log(micron[last] / clump.wavelength[3])
    flux = (ab + strength * law_ratio(micron, law)) * u.ABmag
    per_wavelength = flux.to(FLAM, u.spectral_density(micron * u.um))
    source = SourceSpectrum(Empirical1D, points=micron * 1e4, lookup_table=per_wavelength)
    area = effective_area(CONFIGURATION.detector, element)
    band = SpectralElement(Empirical1D, points=area.wavelength * 1e10, lookup_table=area.area / 10)
    expected = Observation(source, band, binset=band.waveset).effstim(u.ABmag).value
    assert band_magnitude(element, CONFIGURATION, np.array([strength]))[0] == pytest.approx(
        expected, abs=3e-3
    )


def test_dust_reddens_as_in_the_simulator():
    """Of a black body behind the simulator's dust, by its table of colours."""
    micron, temperature = np.array([0.75, 0.9, 1.1, 1.3, 1.5, 1.8, 2.1, 2.4]), 4750.0
    per_frequency = black_body(micron * 1e-6, np.array([temperature]))[:, 0] * micron**2
    clump = {"wavelength": micron.tolist(), "magnitude": (-2.5 * np.log10(per_frequency)).tolist()}
    bands = make_bands(configuration_from_mapping({"clump": clump, "law": {"form": "ccm89"}}))
    grid = colour_grid("WFI07", "F146", ("F087", "F213"))
    a_v = np.array([0.0, 1.0, 3.0, 6.0])
    for element in ("F087", "F213"):
        expected = grid.colour(element, np.full(4, temperature), a_v)
        f146 = _extinction_of_a_v(a_v, bands, grid, temperature)
        sign = 1 if element == "F087" else -1
        pair = (element, "F146") if sign > 0 else ("F146", element)
        np.testing.assert_allclose(sign * bands.colour(pair, f146), expected, atol=0.02)


def _extinction_of_a_v(a_v, bands, grid, temperature):
    """Extinction in F146 at which F087 has the simulator's colour."""
    colours = bands.colour(("F087", "F146"), bands.grid["F146"])
    return np.interp(grid.colour("F087", np.full(4, temperature), a_v), colours, bands.grid["F146"])


def test_a_wide_filter_saves_its_red_side():
    """Ten times the dust dims F146 by less than ten times as much."""
    at = {one: band_magnitude(one, CONFIGURATION, np.array([0.0, 0.1, 1.0])) for one in ELEMENTS}
    growth = {one: (m[2] - m[0]) / (m[1] - m[0]) for one, m in at.items()}
    assert growth["F146"] < growth["F087"] < 10.0
    assert growth["F213"] == pytest.approx(10.0, abs=0.1)


def test_the_clump_has_the_magnitudes_of_its_spectrum():
    """F213 is all but Ks: -1.61 there (Hawkins et al. 2017) and 1.85 to AB."""
    bands = make_bands(CONFIGURATION)
    assert bands.intrinsic["F213"] == pytest.approx(-1.61 + 1.85, abs=0.04)
    assert -0.07 < bands.intrinsic["F146"] < 0.24
    assert bands.grid["F146"][-1] >= 1.5 * CONFIGURATION.cells.largest_extinction
