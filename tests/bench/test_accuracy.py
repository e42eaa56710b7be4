"""What the bench says of fluxes whose errors are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench.accuracy import (
    Compared,
    bias,
    bin_figures,
    in_bin,
    joined,
    pull_width,
    rms_over_bound,
    usual,
    zero_point,
)
from loaders.photometry.flags import PhotometryFlag


@pytest.fixture
def points() -> Compared:
    """Stars a tenth of a percent too bright, with errors claimed too small by a quarter, twice the bound."""
    rng = np.random.default_rng(1)
    magnitude = rng.uniform(18, 23, 40_000)
    truth = 10 ** (-0.4 * (magnitude - 31.4))
    error = 0.004 * truth
    flux = 1.001 * truth + error * rng.normal(size=truth.size)
    return Compared(flux, 0.75 * error, np.zeros(truth.size, np.uint16), truth, magnitude, error / 2)


def test_bias_and_zero_point_are_those_put_in(points):
    assert bias(points) == pytest.approx(1.0857, abs=0.07)
    assert zero_point(points) == pytest.approx(1.0857, abs=0.15)


def test_width_of_pulls_and_scatter(points):
    assert pull_width(points) == pytest.approx(4 / 3, abs=0.02)
    assert rms_over_bound(points) == pytest.approx(2 * np.hypot(1, 0.25), abs=0.03)


def test_an_outlier_counts_in_the_scatter_and_hardly_in_the_pulls(points):
    spoilt = dataclasses.replace(points, flux=points.flux.copy())
    spoilt.flux[7] += 2000 * points.bound[7]
    assert rms_over_bound(spoilt) > 8
    assert pull_width(spoilt) == pytest.approx(pull_width(points), abs=0.001)


def test_points_without_measurement_or_with_a_neighbour_are_left_out(points):
    flags = points.flags.copy()
    flags[:5] = PhotometryFlag.BLENDED
    flags[5:9] = PhotometryFlag.SATURATED
    flux = np.where(np.arange(flags.size) == 20, np.nan, points.flux)
    left = usual(dataclasses.replace(points, flags=flags, flux=flux))
    assert left.flux.size == points.flux.size - 6


def test_bins_hold_their_own_magnitudes(points):
    whole = joined([points, points])
    some = in_bin(whole, (19.0, 20.0))
    assert whole.flux.size == 2 * points.flux.size
    assert (some.magnitude.min() >= 19, some.magnitude.max() < 20) == (True, True)
    figures = {figure.name: figure for figure in bin_figures("photometry", "made up", whole)}
    assert len(figures) == 15
    assert figures["made up, F146 22 to 23: |bias|"].meets_target
    assert not figures["made up, F146 18 to 19: |robust width of pulls - 1|"].meets_target
