"""Locations, sky, combined spectra and fluxes."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import constants
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.simulation.instrument_tables import effective_area
from loaders.spectral_extraction.background import fit_sky
from loaders.spectral_extraction.combination import Spectrum, combine, rebinned
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.location import LocationFlag, Places, locate, trace_mask
from loaders.spectral_extraction.path import path
from loaders.spectral_extraction.sensitivity import electrons, flux_density, nominal_sensitivity
from loaders.spectral_geometry.inverse import wavelength_at
from loaders.spectral_geometry.nominal import nominal_reference

GRISM = nominal_reference("GRISM").on("WFI01")
SHAPE = (4088, 4088)


def flag(table, source, order):
    return int(table.flags[(table.source == source) & (table.order == order)][0])


def test_sources_and_spectra_are_on_and_off_the_detector_for_themselves():
    """Order 1 goes some 550 pixels up and 390 down here, order 0 lies 1378 pixels up."""
    x = np.array([2000.0, 2100.0, 2200.0, 1000.0, 1003.0, np.nan])
    y = np.array([2000.0, 4300.0, 3900.0, 1500.0, 1600.0, 10.0])
    places = Places(x, y, np.full(6, 4.0))
    table = locate(GRISM, places, (1, 0), SHAPE)
    assert table.source.size == 12
    assert flag(table, 0, 1) == 0
    assert flag(table, 1, 1) & LocationFlag.DIRECT_OFF_DETECTOR
    assert flag(table, 1, 1) & LocationFlag.TRUNCATED
    assert flag(table, 1, 0) & LocationFlag.OFF_DETECTOR
    assert flag(table, 2, 1) == LocationFlag.TRUNCATED
    assert flag(table, 2, 0) == LocationFlag.OFF_DETECTOR
    assert flag(table, 3, 1) == flag(table, 4, 1) == LocationFlag.OVERLAPPED
    assert flag(table, 5, 1) == LocationFlag.OFF_DETECTOR | LocationFlag.NO_POSITION
    both = (table.order == 1) & np.isin(table.source, (3, 4))
    # Two bands of 9 pixels, 3 apart and 100 rows up, lean by 0.0068: 2.3 pixels apart in a row.
    np.testing.assert_allclose(table.overlap[both], (6.7 / 9) * (844 / 938), atol=0.02)
    seen = (table.source == 2) & (table.order == 1)
    edge = wavelength_at(GRISM, 1, (x[2:3], y[2:3]), (np.zeros((1, 1)), np.full((1, 1), 4087.0)), (0.0, 1.0))
    assert table.shortest[seen][0] == pytest.approx(edge[0, 0], abs=1e-6)
    mask = trace_mask(table, GRISM, places, SHAPE)
    assert mask[2000, 1998:2003].all()
    assert not mask[2000, 2020]


def test_no_sources_make_an_empty_table():
    none = Places(np.zeros(0), np.zeros(0), np.zeros(0))
    assert locate(GRISM, none, (1, 0, 2), SHAPE).flags.size == 0


def test_paths_are_the_geometry_at_whole_rows():
    steps = path(GRISM, 1, (700.0, 900.0), (0, 4087))
    assert np.array_equal(steps.y, np.rint(steps.y))
    x, y = GRISM.disperse(1, np.array([700.0]), np.array([900.0]), steps.wavelength)
    np.testing.assert_allclose(np.stack([x[0], y[0]]), np.stack([steps.x, steps.y]), atol=1e-4)
    assert steps.width.sum() == pytest.approx(np.ptp(steps.wavelength), rel=0.003)


def sky_scene(seed=4):
    rng = np.random.default_rng(seed)
    master = 1 + 0.2 * np.linspace(-1, 1, 300)[:, None] * np.linspace(-1, 1, 200)
    traces = np.zeros(master.shape, dtype=bool)
    traces[:, 40:70] = traces[:, 120:150] = True
    rate = 0.65 * master + np.where(traces, 3.0, 0.0)
    read = np.full(master.shape, 0.03**2)
    rate = rng.poisson(rate * 300) / 300 + rng.normal(0, 0.03, master.shape)
    rate[rng.random(master.shape) < 0.002] = 50.0
    return SpectralFrame(rate, read, 1 / 300, np.zeros(master.shape, dtype=bool)), master, traces


def test_the_sky_is_scaled_beside_the_traces_and_its_error_is_right():
    found = [fit_sky(*sky_scene(seed)) for seed in range(30)]
    pulls = np.array([(f.scale - 0.65) / f.error for f in found])
    assert abs(pulls.mean()) < 0.6
    assert 0.7 < pulls.std() < 1.4
    assert all(f.masked for f in found)


def test_where_traces_cover_all_the_sky_is_clipped_and_says_so():
    frame, master, traces = sky_scene()
    found = fit_sky(frame, master, np.ones_like(traces))
    assert not found.masked
    assert found.scale == pytest.approx(0.65, rel=0.05)


def test_without_a_usable_pixel_there_is_no_sky():
    frame, master, traces = sky_scene()
    with pytest.raises(ValueError, match="no usable pixel"):
        fit_sky(frame, np.full(master.shape, np.nan), traces)
    with pytest.raises(ValueError, match="one shape"):
        fit_sky(frame, master[1:], traces)


@given(seed=st.integers(0, 1000), shift=st.floats(0, 1), size=st.floats(0.6, 3))
@settings(max_examples=25)
def test_rebinning_conserves_flux(seed, shift, size):
    flux = np.random.default_rng(seed).uniform(0, 1, 200)
    centre = np.arange(200.0)
    wanted = np.arange(10 + shift, 180, size)
    mean, variance = rebinned(Spectrum(centre, flux, np.ones(200)), wanted)
    total = np.concatenate([[0], np.cumsum(flux)])
    edges = np.array([wanted - size / 2, wanted + size / 2])
    integral = np.diff(np.interp(edges, np.arange(201) - 0.5, total), axis=0)[0]
    np.testing.assert_allclose(mean * size, integral, atol=1e-9)
    assert np.all(variance <= 1 + 1e-9)


def test_a_combined_spectrum_weighs_by_errors_and_leaves_out_what_is_far_off():
    rng = np.random.default_rng(9)
    wavelength = np.linspace(1, 1.9, 400)
    truth = 2 + np.sin(8 * wavelength)
    errors = (0.1, 0.2, 0.3, 0.2)
    spectra = [Spectrum(wavelength, truth + rng.normal(0, e, 400), np.full(400, e)) for e in errors]
    spectra[1].flux[77] = 40.0
    spectra[2].flux[100:120] = np.nan
    found = combine(spectra, wavelength)
    pulls = (found.flux - truth) / found.error
    assert 0.9 < pulls.std() < 1.1
    assert found.number[77] == 3
    assert found.number[110] == 3
    assert found.error[200] == pytest.approx(1 / np.sqrt(sum(1 / e**2 for e in errors)))
    none = combine([], wavelength)
    assert np.isnan(none.flux).all()
    assert not none.number.any()


@pytest.mark.parametrize(("element", "column"), [("GRISM", "Grism_1stOrder"), ("PRISM", "Prism")])
def test_fluxes_are_photons_through_the_effective_area(element, column):
    """Electrons = F A λ / (h c) Δλ, and back within 0.2 %."""
    steps = path(nominal_reference(element).on("WFI05"), 1, (2000.0, 2000.0), (0, 4087))
    curve = nominal_sensitivity("WFI05", element, 1)
    rate = electrons(curve, steps, np.full(steps.y.size, 1e-16))
    band = effective_area("WFI05", column)
    row = int(np.argmin(np.abs(steps.wavelength - 1.4)))
    metres = steps.wavelength[row] * 1e-6
    photon = constants.h.si.value * constants.c.si.value / metres
    expected = 1e-16 * np.interp(metres, band.wavelength, band.area) / photon * steps.width[row]
    assert rate[row] == pytest.approx(expected, rel=2e-3)
    back = flux_density(curve, steps, rate)
    assert np.nanmax(np.abs(back / 1e-16 - 1)) < 1e-12
    assert np.isfinite(back[row])
    assert np.isnan(back).any()


def test_unknown_orders_have_no_sensitivity():
    with pytest.raises(ValueError, match="no effective area of order 2 of 'PRISM'"):
        nominal_sensitivity("WFI05", "PRISM", 2)
