"""Inner loops against scipy and closed forms."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.integrate import quad
from scipy.optimize import nnls

from loaders.redshift.columns import flux_factor, in_angstrom, vacuum
from loaders.redshift.igm import transmission
from loaders.redshift.least_squares import Block, Target, gains, non_negative
from loaders.redshift.line_kernels import LineList, PixelGrid, line_profiles, line_segments
from loaders.redshift.nebulae import nebulae
from loaders.redshift.tables import read_tables


def test_amplitudes_are_those_of_scipy():
    generator = np.random.default_rng(1)
    for _ in range(50):
        design, data = generator.normal(size=(30, 8)), generator.normal(size=30)
        x, free = np.zeros(8), np.zeros(8, bool)
        non_negative(design.T @ design, design.T @ data, free, generator.random(8) < 0.5, x)
        np.testing.assert_allclose(x, nnls(design, data)[0], atol=1e-9)


def test_what_is_free_is_as_in_plain_least_squares():
    generator = np.random.default_rng(2)
    design, data = generator.normal(size=(30, 5)), generator.normal(size=30)
    x = np.zeros(5)
    non_negative(design.T @ design, design.T @ data, np.ones(5, bool), np.zeros(5, bool), x)
    np.testing.assert_allclose(x, np.linalg.lstsq(design, data, rcond=None)[0], atol=1e-9)


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
    scale, template = np.array([1.9, 2.0]), generator.uniform(0.5, 1.5, (2, 2, 300))
    weight, flux = generator.uniform(0.5, 2, 300), generator.normal(3, 1, 300)
    basis = np.ones((1, 300))
    prior = 1e-12 * np.eye(1)
    target = Target(weight, weight * flux, basis, (basis * weight) @ basis.T + prior)
    block = Block(template, line_segments(grid, scale, wavelength), mixture)
    sums = np.array([(one * weight) @ np.vstack([one, basis]).T for one in template])
    gain, amplitude = gains(sums, np.array([one @ (weight * flux) for one in template]), block, target)
    for c in range(2):
        lines = LineList(np.repeat(wavelength, 2), mixture.ravel(), np.tile([0, 1], 3))
        model = np.vstack([template[c], basis, -basis, line_profiles(grid, scale[c], lines, 2)])
        wanted, residual = nnls((model * np.sqrt(weight)).T, flux * np.sqrt(weight))
        np.testing.assert_allclose(gain[c], np.sum(weight * flux**2) - residual**2, rtol=1e-9)
        np.testing.assert_allclose(amplitude[c, [0, 1, 3, 4]], wanted[[0, 1, 4, 5]], rtol=1e-6, atol=1e-9)


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
