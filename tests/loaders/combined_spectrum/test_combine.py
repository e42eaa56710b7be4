"""Spectra of several exposures as one."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.combined_spectrum.combine import Part, combined, shared_wavelengths
from loaders.simulation.instrument_tables import dispersion_table
from loaders.spectral_extraction.combination import Spectrum as Rows


@pytest.mark.parametrize("element", ["GRISM", "PRISM"])
def test_wavelengths_are_a_pixel_apart(element):
    found = shared_wavelengths(element)
    wavelength, nm_per_pixel = dispersion_table(element)
    middle = (found[1:] + found[:-1]) / 2
    np.testing.assert_allclose(np.diff(found) * 1000, np.interp(middle, wavelength, nm_per_pixel), rtol=0.02)
    assert found[0] == wavelength[0]


def test_light_errors_masks_and_resolution_of_two_exposures():
    wavelength = shared_wavelengths("PRISM")
    rng = np.random.default_rng(2)
    parts = []
    for width, error in ((3.0, 0.1), (2.0, 0.2)):
        flux = 5 + rng.normal(0, error, wavelength.size)
        flux[10 + int(width)] = np.nan
        parts.append(Part(Rows(wavelength, flux, np.full(wavelength.size, error)), width))
    parts[1].rows.flux[13] = np.nan
    found = combined("PRISM 7", (10.0, -43.0), parts, wavelength)
    assert (found.name, found.ra, found.dec) == ("PRISM 7", 10.0, -43.0)
    assert found.mask[13]
    assert found.mask.sum() == 1
    assert found.flux_err[50] == pytest.approx(1 / np.sqrt(1 / 0.1**2 + 1 / 0.2**2))
    assert found.flux_err[12] == pytest.approx(0.1)
    pulls = (found.flux - 5) / found.flux_err
    assert 0.8 < np.nanstd(pulls) < 1.2
    step = np.gradient(wavelength)[50]
    mean = (wavelength[50] / (3.0 * step) + wavelength[50] / (2.0 * step)) / 2
    assert found.resolution[50] == pytest.approx(mean)


def test_of_nothing_measured_all_is_masked():
    wavelength = shared_wavelengths("PRISM")
    nothing = Part(Rows(np.zeros(0), np.zeros(0), np.zeros(0)), 2.0)
    found = combined("PRISM 7", (10.0, -43.0), [nothing], wavelength)
    assert found.mask.all()
    assert np.isnan(found.resolution).all()
