"""Inner loops against scipy and closed forms."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.integrate import quad
from scipy.optimize import nnls

from loaders.redshift.candidates import Candidates, pixels_of
from loaders.redshift.columns import flux_factor, in_angstrom, vacuum
from loaders.redshift.igm import transmission
from loaders.redshift.least_squares import Block, non_negative
from loaders.redshift.line_kernels import LineList, PixelGrid, line_profiles, line_segments
from loaders.redshift.nebulae import nebulae
from loaders.redshift.scan import Data, basis_of, chi_square
from loaders.redshift.tables import read_tables


def test_amplitudes_are_those_of_scipy():
    generator = np.random.default_rng(1)
    for _ in range(50):
        design, data, x = generator.normal(size=(30, 8)), generator.normal(size=30), np.zeros(8)
        non_negative(design.T @ design, design.T @ data, generator.random(8) < 0.5, x)
        np.testing.assert_allclose(x, nnls(design, data)[0], atol=1e-9)


def test_what_no_data_tell_stays_0():
    matrix, x = np.diag([2.0, 0.0]), np.ones(2)
    non_negative(matrix, np.array([3.0, 0.0]), np.ones(2, bool), x)
    np.testing.assert_allclose(x, [1.5, 0.0])


def test_a_line_keeps_its_flux_on_pixels_of_any_width():
    edges = np.cumsum(np.r_[9000.0, np.random.default_rng(3).uniform(5, 20, 200)])
    grid = PixelGrid(edges[:-1], edges[1:], np.full(200, 0.001))
    lines = LineList(np.array([5000.0]), np.array([1.0]), np.array([0]))
    profile = line_profiles(grid, 2.0, lines, 1)[0]
    assert abs(np.sum(profile * np.diff(edges)) - 1) < 1e-6
    k = np.searchsorted(edges, 10_000.0) - 1
    area = quad(
        lambda w: np.exp(-0.5 * ((w - 1e4) / 10) ** 2) / (10 * np.sqrt(2 * np.pi)), *edges[k : k + 2]
    )[0]
    np.testing.assert_allclose(profile[k], area / np.diff(edges)[k], rtol=1e-6)


def test_normal_equations_of_lines_are_those_of_the_whole_profiles():
    """Lines are added one by one where they are; here they are whole spectra, fitted by scipy."""
    generator = np.random.default_rng(5)
    edges = 9000.0 + 8.0 * np.arange(301)
    grid, wavelength = (
        PixelGrid(edges[:-1], edges[1:], np.full(300, 0.002)),
        np.array([5000.0, 5010.0, 5500.0]),
    )
    mixture = np.array([[1.0, 0.2], [0.3, 1.0], [0.5, 2.0]])
    z, template = np.array([0.9, 1.0]), generator.uniform(0.5, 1.5, (2, 2, 100))
    weight, flux = generator.uniform(0.5, 2, 300), generator.normal(3, 1, 300)
    weight[40:44] = 0.0
    bins = np.arange(300) // 3
    block = Block(template, bins, line_segments(grid, 1 + z, wavelength), mixture)
    data = Data(flux[np.newaxis], weight[np.newaxis])
    chi2, amplitude = chi_square(data, Candidates(z, np.full(2, -1), block))
    basis = basis_of(300).reshape(3, 100, 3).mean(axis=2)[:, bins]
    prior = 1 / (0.05 * np.median(flux[weight > 0]))
    for c in range(2):
        lines = LineList(np.repeat(wavelength, 2), mixture.ravel(), np.tile([0, 1], 3))
        profile = line_profiles(grid, 1 + z[c], lines, 2)
        seen = np.vstack([template[c][:, bins], basis, -basis, profile]) * np.sqrt(weight)
        held = np.hstack([np.zeros((3, 2)), prior * np.eye(3), -prior * np.eye(3), np.zeros((3, 2))])
        wanted, residual = nnls(np.vstack([seen.T, held]), np.append(flux * np.sqrt(weight), np.zeros(3)))
        np.testing.assert_allclose(chi2[0, c], residual**2, rtol=1e-9)
        polynomials = wanted[2:5] - wanted[5:8]
        both = np.concatenate([wanted[:2], polynomials, wanted[8:]])
        np.testing.assert_allclose(amplitude[0, c], both, rtol=1e-6, atol=1e-9)


def test_bins_are_no_wider_than_they_may_be_and_none_is_of_two_sides_of_a_gap():
    wavelength = np.concatenate([np.arange(5000.0, 5100, 4.0), np.arange(6000.0, 6200, 30.0)])
    pixels = pixels_of(wavelength, np.full(wavelength.size, 1e-3))
    bins = pixels.bins(2e-3)
    np.testing.assert_array_equal(np.unique(bins), np.arange(bins[-1] + 1))
    assert max(np.ptp(np.log(wavelength[bins == b])) for b in np.unique(bins)) <= 2e-3
    assert np.unique(bins[wavelength > 5500]).size == np.sum(wavelength > 5500)
    joined = pixels.joined(bins)
    assert joined.low[0] == pixels.low[0]
    assert joined.high[-1] == pixels.high[-1]
    np.testing.assert_array_equal(pixels.bins(0.0), np.arange(wavelength.size))


def test_lines_of_galaxies_are_as_physics_has_them():
    for group in nebulae():
        flux = {line.name: line.ratio for line in group.lines}
        if "Halpha" in flux:
            # Case B of hydrogen without dust, less of the blue with it; [O III] by transition probabilities.
            assert flux["Hbeta"] <= 1 / 2.86 + 1e-3
            assert flux["[OIII]5008"] / flux["[OIII]4960"] == pytest.approx(2.98, rel=0.03)
    young = {line.name: line.ratio for line in nebulae()[0].lines}
    assert young["[OIII]5008"] / young["Hbeta"] > 4 > 0.1 > young["[NII]6585"] / young["Halpha"]


def test_hydrogen_absorbs_as_madau_says():
    z = np.array([3.5])
    at = np.array([1100.0, 1300.0, 800.0]) * 4.5
    got = transmission(at, z)[0]
    assert got[0] == np.exp(-0.0036 * (at[0] / 1215.67) ** 3.46)
    assert got[1] == 1
    assert got[2] < 0.3
    assert np.all(transmission(at, np.array([0.0])) == 1)


def test_air_and_units():
    # NIST: Halpha 6562.79 Å in air, 6564.61 Å in vacuum; Paschen beta 12818.07 and 12821.58.
    np.testing.assert_allclose(vacuum(np.array([6562.79, 12818.07])), [6564.60, 12821.58], atol=0.02)
    assert in_angstrom(np.array([1.5]), None, "") == pytest.approx(15_000)
    assert in_angstrom(np.array([1500.0]), "nm", "") == pytest.approx(15_000)
    factor, unit = flux_factor("Jy", np.array([10_000.0]))
    # c / λ² of 1 Jy at 1 µm: 1e-26 * 2.998e8 / 1e-12 W/m2/m.
    np.testing.assert_allclose(factor, 1e-26 * 2.99792458e8 / 1e-12 * 1e-6 / 1e-20, rtol=1e-9)
    assert unit
    assert flux_factor("electron / s", np.array([10_000.0]))[1] == ""


def test_images_have_the_wavelengths_of_their_header(tmp_path):
    primary = fits.PrimaryHDU(np.ones((2, 10)))
    primary.header.update({"COEFF0": 3.6, "COEFF1": 1e-4})
    fits.HDUList([primary, fits.ImageHDU(np.ones((2, 10)), name="IVAR")]).writeto(tmp_path / "p.fits")
    (table,) = read_tables(tmp_path / "p.fits")
    np.testing.assert_allclose(table.columns["loglam"], 3.6 + 1e-4 * np.arange(10))
    assert table.columns["flux"].shape == table.columns["IVAR"].shape == (2, 10)
