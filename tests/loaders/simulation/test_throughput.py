from __future__ import annotations

import galsim.roman
import numpy as np
import pytest
from astropy import units
from roman_technical_information.io import load_table
from synphot import Observation, SourceSpectrum, SpectralElement
from synphot.models import BlackBodyNorm1D, ConstFlux1D, Empirical1D

from loaders.simulation.instrument_tables import (
    detector_noise,
    detector_number,
    effective_area,
    thermal_rate,
    zodiacal_rate,
)
from loaders.simulation.throughput import (
    ab_zero_point,
    ab_zero_rate,
    count_rate,
    flux_njy,
    megajansky_conversion,
    source_count_rate,
)

ELEMENTS = ("F062", "F087", "F106", "F129", "F146", "F158", "F184", "F213")


def test_zero_points_are_those_of_the_published_table() -> None:
    table = load_table("WideFieldInstrument/Imaging/ZeroPoints/Roman_zeropoints_20240301.ecsv")
    for row in table:
        assert ab_zero_point(str(row["detector"]), str(row["element"])) == pytest.approx(
            row["ABMag"], abs=2e-4
        )


@pytest.mark.parametrize("temperature", [3500, 10000])
def test_count_rate_of_a_black_body_is_synphots(temperature: int) -> None:
    source = SourceSpectrum(BlackBodyNorm1D, temperature=temperature)
    band = effective_area("WFI05", "F146")
    element = SpectralElement(
        Empirical1D, points=band.wavelength * 1e10 * units.AA, lookup_table=band.area / band.area.max()
    )
    area = band.area.max() * units.m**2
    expected = Observation(source, element).countrate(area).value
    assert source_count_rate(source, "WFI05", "F146") == pytest.approx(expected, rel=1e-4)


def test_flat_ab_source_has_the_zero_rate() -> None:
    source = SourceSpectrum(ConstFlux1D, amplitude=0.0 * units.ABmag)
    assert source_count_rate(source, "WFI07", "F158") == pytest.approx(
        ab_zero_rate("WFI07", "F158"), rel=1e-4
    )


def test_galsims_older_curves_give_nearly_the_same_zero_points() -> None:
    bands = galsim.roman.getBandpasses(AB_zeropoint=True)
    area = 2.5 * np.log10(galsim.roman.collecting_area)
    for ours, theirs in (("F087", "Z087"), ("F146", "W146"), ("F158", "H158")):
        assert ab_zero_point("WFI01", ours) == pytest.approx(bands[theirs].zeropoint + area, abs=0.2)


def test_a_data_cube_becomes_an_image() -> None:
    band = effective_area("WFI01", "F129")
    wavelength = np.linspace(1.0e-6, 1.6e-6, 400)
    spectrum = 1e-9 * (wavelength / 1.3e-6) ** 2
    scale = np.arange(1.0, 7.0).reshape(2, 3)
    image = count_rate(wavelength, spectrum[:, None, None] * scale, band)
    assert image.shape == (2, 3)
    np.testing.assert_allclose(image / scale, count_rate(wavelength, spectrum, band), rtol=1e-12)


def test_flux_is_zero_outside_of_the_spectrum() -> None:
    band = effective_area("WFI01", "F129")
    half = count_rate(np.array([1.29e-6, 1.6e-6]), np.ones(2), band)
    whole = count_rate(np.array([1.0e-6, 1.6e-6]), np.ones(2), band)
    assert 0 < half < whole


def test_surface_brightness_conversion_returns_the_flux_of_a_source() -> None:
    area, gain = 2.8e-13, 1.8
    rate = ab_zero_rate("WFI07", "F146") * 10 ** (-0.4 * 20.0) / gain
    flux = rate * megajansky_conversion("WFI07", "F146", gain, area) * area * 1e15
    assert flux == pytest.approx(flux_njy(20.0), rel=1e-12)
    assert flux_njy(23.9) == pytest.approx(1000.0, rel=1.5e-3)  # 1 microjansky


def test_backgrounds_and_noise_have_the_published_size() -> None:
    assert zodiacal_rate("F146") == 0.781
    assert thermal_rate("F213") == 4.38
    noise = detector_noise("WFI07")
    assert noise.read_noise == pytest.approx(13.21 / np.sqrt(2))
    assert (noise.dark_current, noise.operable_fraction) == (0.027, pytest.approx(0.9859))


@pytest.mark.parametrize("name", ["WFI19", "WFI00", "SCA01", "WFI1", "wfi01", ""])
def test_unknown_detectors_are_named(name: str) -> None:
    with pytest.raises(ValueError, match="WFI01 to WFI18"):
        detector_number(name)


def test_unknown_filters_are_named() -> None:
    with pytest.raises(ValueError, match="no effective area of 'F999'"):
        effective_area("WFI01", "F999")
    with pytest.raises(ValueError, match="no background of 'F999'"):
        thermal_rate("F999")


@pytest.mark.parametrize("element", ELEMENTS)
def test_effective_areas_are_those_of_a_telescope_of_this_size(element: str) -> None:
    band = effective_area("WFI10", element)
    assert 0.5 < band.area.max() < np.pi * 1.2**2
    assert (np.diff(band.wavelength) > 0).all()
