"""Magnitudes and sums of a light curve against other implementations."""

import numpy as np
import pytest
from astropy import stats
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from roman_db.query.light_curve import CataloguedObject, Series
from roman_db.query.photometry import ab_magnitude, ab_magnitude_error, robust_deviation, summarise

NOBODY = CataloguedObject(1, 0.0, 0.0, 2027.0, {"F146": 1000.0})


def series(flux, error, flags=None) -> Series:
    flux = np.asarray(flux, float)
    n = flux.size
    flags = np.zeros(n, np.int32) if flags is None else np.asarray(flags, np.int32)
    return Series(
        "F146", "psf", np.arange(n), 2461500.0 + np.arange(n), flux, np.broadcast_to(error, n), flags
    )


@given(st.floats(1e-3, 1e12))
def test_magnitudes_are_those_of_astropy(flux):
    # astropy's AB zero point is 3630.78 Jy, the database's and LSST's 3631 Jy.
    assert abs(float(ab_magnitude(flux)) - (flux * u.nJy).to_value(u.ABmag)) < 1e-4


def test_errors_are_the_derivative_of_the_magnitude():
    flux = np.array([10.0, 3e3, 1e7])
    step = 1e-6 * flux
    slope = (ab_magnitude(flux - step) - ab_magnitude(flux + step)) / (2 * step)
    np.testing.assert_allclose(ab_magnitude_error(flux, np.full(3, 2.0)), 2.0 * slope, rtol=1e-6)


@pytest.mark.parametrize("flux", [0.0, -1.0, np.nan])
def test_no_magnitude_where_there_is_no_light(flux):
    assert np.isnan(ab_magnitude(flux))


def test_deviation_is_that_of_astropy_and_ignores_outliers():
    values = np.random.default_rng(1).normal(5, 2, 1001)
    assert robust_deviation(values) == pytest.approx(stats.mad_std(values), rel=1e-12)
    values[:50] = 1e9
    assert robust_deviation(values) == pytest.approx(2, rel=0.2)


def test_a_series_is_summed_up():
    rng = np.random.default_rng(2)
    error = rng.uniform(5, 20, 4000)
    flux = 1000 + error * rng.standard_normal(4000)
    flags = np.zeros(4000, int)
    flux[:10], flags[:10] = 1e6, 3
    flux[10:13], flags[10:13] = np.nan, 1 << 7
    found = summarise(series(flux, error, flags), NOBODY)
    assert (found.n_point, found.n_flagged, found.n_failed) == (3987, 10, 3)
    assert found.flag_counts == {0: 10, 1: 10, 7: 3}
    weights = error[13:] ** -2.0
    assert found.mean_flux == pytest.approx(np.sum(weights * flux[13:]) / np.sum(weights), rel=1e-12)
    assert found.catalog_mag == pytest.approx(float(ab_magnitude(1000.0)))
    assert found.scatter_mag == pytest.approx(1.0857 * stats.mad_std(flux[13:]) / found.mean_flux, rel=1e-4)
    assert (found.first_bjd_tdb, found.last_bjd_tdb) == (2461500.0, 2465499.0)


def test_flagged_points_serve_where_there_are_no_others():
    found = summarise(series([10.0, 12.0], 1.0, [4, 4]), NOBODY)
    assert (found.n_point, found.n_flagged, found.mean_flux) == (0, 2, 11.0)


def test_a_series_without_any_flux_has_no_mean():
    found = summarise(series([np.nan, np.nan], np.nan, [128, 128]), NOBODY)
    assert np.isnan([found.mean_flux, found.mean_mag, found.scatter_mag, found.error_mag]).all()


def test_a_negative_mean_has_no_magnitude():
    found = summarise(series([-3.0, -5.0], 1.0), NOBODY)
    assert found.mean_flux == -4.0
    assert np.isnan([found.mean_mag, found.scatter_mag]).all()
