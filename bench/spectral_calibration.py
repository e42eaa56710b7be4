"""References derived from a simulated field of stars through the grism, beside what was put into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.record import Figure
from loaders.exposure_spectrum.measure import Measured
from loaders.spectral_calibration.geometry import (
    Correction,
    across_offsets,
    along_offsets,
    corrected,
    fitted_correction,
)
from loaders.spectral_calibration.repeats import fitted_response
from loaders.spectral_calibration.rows import SourceRows, calibrating_rows
from loaders.spectral_calibration.sensitivity import Standard, fitted_sensitivity
from loaders.spectral_extraction.calibration_file import SensitivityReference, designed_sensitivity
from loaders.spectral_extraction.exposure import direct_sources, read_dispersed
from loaders.spectral_extraction.location import locate
from loaders.spectral_extraction.process import extract_all
from loaders.spectral_extraction.product import RADIUS, instrument_of, places_of, read_catalog
from loaders.spectral_extraction.response import Response
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import FocalPlaneReference
from loaders.spectral_simulation.field import changed_parameters
from loaders.spectral_simulation.simulate import SimulatedField, simulate_field, write_field
from loaders.wfi.level2 import read_level2
from tests.loaders.spectral_calibration.made_up import RANGE, injected, repeated

AREA = "spectra"
DETECTOR = "WFI01"
_FIELD = {
    "window": {"x": 1900, "y": 1500, "width": 260, "height": 1200},
    "sources": 5,
    "star_fraction": 1.0,
    "magnitude": [16.0, 17.0],
    "exposures": 8,
    "dithers": [
        [0.0, 0.0],
        [0.47, 1.31],
        [1.9, 0.6],
        [0.9, 2.1],
        [1.3, 0.2],
        [2.4, 1.7],
        [0.2, 0.9],
        [1.6, 2.5],
    ],
    "seed": 4,
}
_SHIFTS = ((0.0, 0.0), (-1.7, 0.002), (4.3, -0.004))
"""Pixels along y and shares of the length of traces by which geometries are wrong."""
_FACTOR = 0.85
_MMAG = 2500 / np.log(10)


def figures() -> Iterator[Figure]:
    """Figures of geometry, sensitivity and self-calibration."""
    with tempfile.TemporaryDirectory() as name:
        field, folder = simulate_field(changed_parameters(_FIELD)), Path(name)
        list(write_field(field, folder))
        yield from _geometry(folder)
        yield from _sensitivity(field, folder)
    yield from _response()


def _wrong(shift: float, stretch: float) -> FocalPlaneReference:
    """The designed geometry with a wrong zero point and dispersion."""
    zero = np.zeros((1, 1))
    wrong = Correction(zero, zero + shift, 0.0, stretch, {}, 0.0, 0.0, 0)
    return corrected(nominal_reference("GRISM"), DETECTOR, wrong)


def _spectra(folder: Path, geometry: FocalPlaneReference, factor: float = 1.0) -> list[SourceRows]:
    """Spectra of all stars on all exposures, by a geometry and a sensitivity that may be wrong."""
    designed = designed_sensitivity("GRISM").curves[DETECTOR]
    low = {order: replace(curve, value=factor * curve.value) for order, curve in designed.items()}
    sensitivity = SensitivityReference("GRISM", {DETECTOR: low})
    catalog = read_catalog(folder / "truth.parquet")
    direct = read_level2(next(folder.glob("*_f158_cal.asdf")))
    seen = places_of(direct, catalog)
    rows = []
    for number, path in enumerate(sorted(folder.glob("*_grism_cal.asdf"))):
        exposure = read_dispersed(path, 1.8)
        instrument, places = (
            instrument_of(exposure, geometry, sensitivity),
            places_of(exposure.image, catalog),
        )
        found = locate(instrument.dispersion, places, sorted(instrument.sensitivity), exposure.image.shape)
        sources = direct_sources(direct, seen.x, seen.y, RADIUS)
        extraction = extract_all(exposure.frame, found, places, sources, instrument)
        zero = np.zeros(places.x.size, dtype=np.int64)
        reason: list[str | None] = [None] * places.x.size
        measured = Measured(catalog.source_id, places, zero, reason, extraction=extraction)
        rows += calibrating_rows(number, exposure, measured)
    return rows


def _geometry(folder: Path) -> Iterator[Figure]:
    """Largest errors of zero point, dispersion and traces of geometries that began with others."""
    curve = designed_sensitivity("GRISM").curves[DETECTOR][1]
    true = nominal_reference("GRISM").on(DETECTOR)
    at = np.array([1950.0, 2030.0, 2110.0]), np.array([1900.0, 2100.0, 2300.0])
    wavelength = np.linspace(1.0, 1.9, 19)
    x, y = true.disperse(1, *at, wavelength)
    errors = []
    for shift, stretch in _SHIFTS:
        wrong = _wrong(shift, stretch)
        rows = _spectra(folder, wrong)
        fitted = fitted_correction(wrong, DETECTOR, along_offsets(rows, curve, {}), across_offsets(rows))
        found = corrected(wrong, DETECTOR, fitted).on(DETECTOR).disperse(1, *at, wavelength)
        dispersion, designed = (np.diff(wavelength * 1000) / np.diff(one, axis=1) for one in (found[1], y))
        errors.append(
            (
                abs(np.mean(found[1] - y)),
                np.abs(dispersion - designed).max(),
                np.abs(found[0] - x).max(),
            )
        )
    zero_point, dispersion_error, across = np.max(errors, axis=0)
    what = f"calibration, {len(_SHIFTS)} injected shifts"
    yield Figure(AREA, f"{what}: largest error of the zero point", float(zero_point), "pixel", 0.1, "min")
    yield Figure(
        AREA, f"{what}: largest error of the dispersion", float(dispersion_error), "nm/pixel", 0.02, "min"
    )
    yield Figure(AREA, f"{what}: largest error of traces across", float(across), "pixel")


def _sensitivity(field: SimulatedField, folder: Path) -> Iterator[Figure]:
    """Sensitivity by all stars but one, from one that is 15 % low, and what that one then has."""
    true = designed_sensitivity("GRISM").curves[DETECTOR][1]
    rows = _spectra(folder, nominal_reference("GRISM"), _FACTOR)
    wavelength = np.linspace(0.7, 2.1, 1401)
    standards = [Standard(one, wavelength, field.sources.spectrum(one.object_id, wavelength)) for one in rows]
    last = max(one.object_id for one in rows)
    base = replace(true, value=_FACTOR * true.value)
    fitted = fitted_sensitivity(base, [one for one in standards if one.rows.object_id != last])
    inside = true.value > 0.2 * true.value.max()
    error = float(np.median(np.abs(fitted.curve.value[inside] / true.value[inside] - 1)))
    yield Figure(
        AREA, "calibration: sensitivity beside A lambda / (h c), median difference", error, "", 0.002, "min"
    )
    others = [_ratio(one, fitted.curve.wavelength, fitted.curve.value) for one in standards
              if one.rows.object_id == last]  # fmt: skip
    worst = float(np.max(np.abs(np.array(others) - 1)))
    yield Figure(
        AREA,
        "calibration: a standard star that had no part, largest error of its flux",
        worst,
        "",
        0.01,
        "min",
    )


def _ratio(one: Standard, wavelength: FloatArray, curve: FloatArray) -> float:
    """Light of a spectrum over what a sensitivity expects."""
    known = np.isfinite(one.rows.rate)
    return float(one.rows.rate[known].sum() / one.expected(curve, wavelength)[known].sum())


def _response() -> Iterator[Figure]:
    """What is left of an injected response after self-calibration, of rates with noise but without images."""
    rng = np.random.default_rng(2026)
    length, angle = rng.uniform(50, 240, 16), rng.uniform(0, 2 * np.pi, 16)
    dithers = np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1)
    fitted = fitted_response(repeated(dithers, 250, 2026)[0], RANGE)
    grid = [one.ravel() for one in np.meshgrid(*[np.linspace(100, 3988, 9)] * 2, np.linspace(1, 1.9, 5))]
    left = Response(fitted.terms, RANGE).logarithm(*grid) - injected().logarithm(*grid)
    what = "calibration: response by 250 stars and 16 dithers of 50 to 240 arcsec, residual (rms)"
    yield Figure(AREA, what, _MMAG * float(np.sqrt(np.mean(left**2))), "mmag", 1.5, "min")
