"""Photometric redshifts of galaxies that follow the spectra, and of what cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.static_catalog.photoz import fit_redshifts
from loaders.static_catalog.templates import template_grid

BANDS = ("F062", "F087", "F106", "F129", "F158", "F184", "F213")


@pytest.fixture(scope="module")
def grid():
    return template_grid(BANDS)


def simulated(grid, count=600, snr=30.0, seed=1):
    """Galaxies drawn evenly from all redshifts and spectra, as the prior has it."""
    rng = np.random.default_rng(seed)
    weight = np.gradient(grid.redshift)
    row = rng.choice(grid.redshift.size, count, p=weight / weight.sum())
    sed = rng.integers(0, len(grid.names), count)
    flux = grid.flux[row, sed]
    flux = flux / flux.mean(axis=1, keepdims=True) * 100
    error = np.hypot(100 / snr, 0.03 * flux)
    return grid.redshift[row], flux + rng.normal(0, 1, flux.shape) * error, np.full(flux.shape, 100 / snr)


def test_redshifts_come_out(grid):
    truth, flux, error = simulated(grid)
    found = fit_redshifts(flux, error, grid)
    off = (found.photoz - truth) / (1 + truth)
    assert 1.4826 * np.median(np.abs(off - np.median(off))) < 0.04
    assert (np.abs(off) > 0.15).mean() < 0.15
    assert np.median(found.gof) == pytest.approx(0.85, abs=0.35)


def test_intervals_hold_the_truth_as_often_as_they_say(grid):
    truth, flux, error = simulated(grid, snr=15.0, seed=2)
    found = fit_redshifts(flux, error, grid)
    for level in (68, 90, 99):
        inside = (found.low[level] <= truth) & (truth <= found.high[level])
        assert inside.mean() == pytest.approx(level / 100, abs=0.06)
    assert (found.low[99] <= found.low[68]).all()


def test_probabilities_integrate_to_one(grid):
    _, flux, error = simulated(grid, 20)
    found = fit_redshifts(flux, error, grid)
    np.testing.assert_allclose(np.trapezoid(found.pdf, found.redshift, axis=1), 1, rtol=1e-4)


def test_scale_does_not_matter_and_missing_bands_are_left_out(grid):
    _, flux, error = simulated(grid, 10)
    found = fit_redshifts(flux, error, grid)
    larger = fit_redshifts(flux * 1e3, error * 1e3, grid)
    np.testing.assert_allclose(found.photoz, larger.photoz)
    flux[:, 2] = np.nan
    without = fit_redshifts(flux, error, grid)
    assert np.isfinite(without.photoz).all()


def test_fewer_than_three_bands_and_no_sources(grid):
    flux, error = np.full((2, len(BANDS)), np.nan), np.ones((2, len(BANDS)))
    flux[:, :2] = 10.0
    found = fit_redshifts(flux, error, grid)
    assert np.isnan(found.photoz).all()
    assert np.isnan(found.low[68]).all()
    assert found.sed.tolist() == [-1, -1]
    assert fit_redshifts(flux[:0], error[:0], grid).photoz.size == 0


def test_shapes_must_fit(grid):
    with pytest.raises(ValueError, match="must have the shape"):
        fit_redshifts(np.ones((3, 2)), np.ones((3, 2)), grid)
