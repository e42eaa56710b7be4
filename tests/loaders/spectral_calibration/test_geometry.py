"""Corrections of a geometry: what was put into it comes out, on any detector, beside outliers."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.rejection import Rejected
from loaders.spectral_calibration.geometry import Correction, Offsets, corrected, fitted_correction
from loaders.spectral_geometry.nominal import nominal_reference

INJECTED = Correction(
    np.array([[1.2, 3.0], [2.0, 0.0]]), np.array([[2.3, 4.0], [-5.0, 0.0]]), 1e-3, 2e-3, {}, 0.0, 0.0, 0
)


def offsets(detector: str, number: int, rng: np.random.Generator) -> tuple[Offsets, Offsets]:
    """Offsets of stars all over a detector, with noise of 0.05 pixel; one in 25 is 9 pixels off."""
    reference = nominal_reference("GRISM")
    true = corrected(reference, detector, INJECTED)
    x, y = rng.uniform(0, 4088, (2, number))
    wavelength = np.tile([0.9935, 1.92], number // 2)
    here, there = (one.on(detector).disperse(1, x, y, wavelength[:, None]) for one in (reference, true))
    star = np.arange(number)
    error = np.full(number, 0.05)
    found = []
    for axis in (1, 0):
        value = (there[axis] - here[axis])[:, 0] + rng.normal(0, 0.05, number)
        value[::25] += 9.0
        found.append(Offsets(x, y, wavelength, value, error, star, star // 50))
    return found[0], found[1]


@pytest.mark.parametrize("detector", ["WFI01", "WFI03", "WFI12"])
def test_what_is_injected_is_found(detector):
    reference = nominal_reference("GRISM")
    correction = fitted_correction(reference, detector, *offsets(detector, 400, np.random.default_rng(5)))
    found, true = (corrected(reference, detector, one).on(detector) for one in (correction, INJECTED))
    x, y = (one.ravel() for one in np.meshgrid(np.linspace(100, 4000, 5), np.linspace(100, 4000, 5)))
    wavelength = np.linspace(1.0, 1.9, 7)
    for axis in (0, 1):
        away = found.disperse(1, x, y, wavelength)[axis] - true.disperse(1, x, y, wavelength)[axis]
        assert np.abs(away).max() < 0.06
    assert correction.n_source == 400
    assert abs(correction.stretch - INJECTED.stretch) < 5 * correction.errors["stretch"]
    assert 0.03 < correction.scatter < 0.08
    # Other orders move and stretch as the first.
    second = found.disperse(2, x, y, wavelength)[1] - true.disperse(2, x, y, wavelength)[1]
    assert np.abs(second).max() < 0.12


def test_few_stars_move_the_geometry_as_a_whole():
    along, across = offsets("WFI01", 8, np.random.default_rng(6))
    correction = fitted_correction(nominal_reference("GRISM"), "WFI01", along, across)
    assert correction.y.shape == correction.x.shape == (1, 1)


def test_one_edge_gives_the_zero_point_alone():
    along, across = offsets("WFI01", 100, np.random.default_rng(7))
    blue = along.wavelength < 1.5
    one = Offsets(*(getattr(along, name)[blue] for name in Offsets.__dataclass_fields__))
    correction = fitted_correction(nominal_reference("GRISM"), "WFI01", one, across)
    assert correction.stretch == 0
    assert np.isnan(correction.errors["stretch"])
    assert correction.zero_point == pytest.approx(np.median(one.value), abs=0.5)


def test_without_sources_it_is_refused():
    nothing = Offsets.of([])
    with pytest.raises(Rejected, match="neither an edge of the band") as refused:
        fitted_correction(nominal_reference("GRISM"), "WFI01", nothing, nothing)
    assert refused.value.code == "no_calibration_source"
