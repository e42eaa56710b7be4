"""Edges and lines fall where made-up exposures have them, which are drawn by integrals of Gaussians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loaders.spectral_calibration.edges import band_edges, edge_shift
from loaders.spectral_calibration.emission import line_shifts
from loaders.spectral_calibration.geometry import Correction, corrected
from loaders.spectral_geometry.nominal import nominal_reference
from tests.loaders.spectral_calibration.made_up import first_order, measured_star


def continuum(wavelength):
    return 4e-15 * (wavelength / 1.5) ** -1.4


def assumed(shift: float, stretch: float = 0.0):
    """A geometry that has light lower by ``shift`` rows than it falls."""
    zero = np.zeros((1, 1))
    wrong = Correction(zero, zero - shift, 0.0, stretch, {}, 0.0, 0.0, 0)
    return corrected(nominal_reference("GRISM"), "WFI01", wrong).on("WFI01")


@pytest.mark.parametrize("shift", [-7.3, 0.0, 2.45])
def test_injected_shifts_of_edges_are_found(shift):
    true = first_order()
    rows = measured_star(true, assumed(shift), continuum, (1.0, 3))
    blue, red = (edge_shift(rows, true.sensitivity[1], edge) for edge in band_edges(true.sensitivity[1]))
    for found in (blue, red):
        assert abs(found.value - shift) < 4 * found.error
    # The red edge is several times as wide.
    assert 0.005 < blue.error < 0.1
    assert blue.error < red.error < 0.4


def test_a_line_of_a_galaxy_of_known_redshift_is_found():
    def galaxy(wavelength):
        lines = ((0.656461, 1.0), (0.658527, 0.3), (0.654986, 0.1))
        light = [share * np.exp(-0.5 * ((wavelength - rest * 2.1) / 0.0008) ** 2) for rest, share in lines]
        return 1e-16 + 4e-15 * np.sum(light, axis=0)

    rows = measured_star(first_order(), assumed(1.6), galaxy, (1.0, 4))
    ((wavelength, found),) = line_shifts(rows, 1.1)
    assert wavelength == pytest.approx(0.656461 * 2.1)
    assert abs(found.value - 1.6) < 0.1


def test_what_cannot_be_told_is_unknown():
    true = first_order()
    rows = measured_star(true, assumed(0.0), continuum)
    blue, _ = band_edges(true.sensitivity[1])
    masked = replace(rows, rate=np.where(np.abs(rows.steps.wavelength - blue) < 0.02, np.nan, rows.rate))
    for bad in (masked, replace(rows, rate=np.full(rows.rate.shape, np.nan))):
        assert np.isnan(edge_shift(bad, true.sensitivity[1], blue).value)
    far = measured_star(true, assumed(60.0), continuum)
    assert np.isnan(edge_shift(far, true.sensitivity[1], blue).value)
    assert np.isnan(edge_shift(rows, true.sensitivity[1], 2.5).value)
    assert list(line_shifts(rows, 5.0)) == []
