"""Sensitivities of standards on made-up exposures, with their covariance, and as files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loaders.rejection import Rejected
from loaders.spectral_calibration.sensitivity import Standard, fitted_sensitivity
from loaders.spectral_extraction.calibration_file import (
    SensitivityReference,
    read_sensitivity,
    write_sensitivity,
)
from loaders.spectral_extraction.response import Response
from tests.loaders.spectral_calibration.made_up import first_order, measured_star

WAVELENGTH = np.linspace(0.7, 2.1, 1401)


def continuum(wavelength):
    return 4e-13 * (wavelength / 1.5) ** -1.4


def change(wavelength):
    return 0.9 + 0.1 * np.sin(6 * wavelength)


def standards(number: int, noise: float = 1.0) -> list[Standard]:
    true = first_order(change)
    rows = [measured_star(true, true.dispersion, continuum, (noise, seed)) for seed in range(number)]
    return [Standard(one, WAVELENGTH, continuum(WAVELENGTH)) for one in rows]


def test_a_sensitivity_is_found_with_its_errors():
    base, true = first_order().sensitivity[1], first_order(change).sensitivity[1]
    fitted = fitted_sensitivity(base, standards(4), scale_error=0.0)
    inside = base.value > 0.2 * base.value.max()
    ratio = fitted.curve.value[inside] / true.value[inside]
    assert abs(np.median(ratio) - 1) < 5e-4
    assert np.abs(ratio - 1).max() < 2e-3
    covariance = fitted.curve.covariance
    true_at = np.interp(covariance.wavelength, true.wavelength, true.value)
    found_at = np.interp(covariance.wavelength, fitted.curve.wavelength, fitted.curve.value)
    left = (found_at / true_at - 1)[2:-2]
    chi2 = left @ np.linalg.inv(covariance.value[2:-2, 2:-2]) @ left
    assert 0.2 < chi2 / left.size < 3
    # What all wavelengths share is in all elements.
    shared = fitted_sensitivity(base, standards(4), scale_error=0.01).curve.covariance.value
    np.testing.assert_allclose(shared - covariance.value, 1e-4, rtol=1e-6)


def test_the_light_of_a_standard_comes_out():
    """Of a star that had no part in the sensitivity."""
    fitted = fitted_sensitivity(first_order().sensitivity[1], standards(2))
    (other,) = standards(3)[2:]
    expected = other.expected(fitted.curve.value, fitted.curve.wavelength)
    assert other.rows.rate.sum() / expected.sum() == pytest.approx(1, abs=0.002)


def test_too_little_of_the_band_is_refused():
    base = first_order().sensitivity[1]
    (one,) = standards(1)
    short = replace(one, wavelength=WAVELENGTH[:600], flux=one.flux[:600])
    dark = replace(one, rows=replace(one.rows, rate=np.full(one.rows.rate.shape, np.nan)))
    for bad in ([], [short], [dark]):
        with pytest.raises(Rejected, match="0 rows of the band") as refused:
            fitted_sensitivity(base, bad)
        assert refused.value.code == "no_calibration_source"


def test_what_is_written_is_read(tmp_path):
    fitted = fitted_sensitivity(first_order().sensitivity[1], standards(2))
    response = Response(np.full((2, 2, 1), 0.01), (0.9, 2.0), {"one.asdf": -0.002})
    curve = replace(fitted.curve, response=response)
    write_sensitivity(tmp_path / "s.asdf", SensitivityReference("GRISM", {"WFI01": {1: curve}}))
    read = read_sensitivity(tmp_path / "s.asdf").curves["WFI01"][1]
    np.testing.assert_array_equal(read.covariance.value, fitted.curve.covariance.value)
    np.testing.assert_array_equal(read.response.terms, response.terms)
    assert read.response.exposures == response.exposures
    wrong = replace(curve, response=None)
    object.__setattr__(wrong.covariance, "value", np.zeros((2, 2)))
    write_sensitivity(tmp_path / "w.asdf", SensitivityReference("GRISM", {"WFI01": {1: wrong}}))
    with pytest.raises(Rejected, match="as many rows and columns"):
        read_sensitivity(tmp_path / "w.asdf")
