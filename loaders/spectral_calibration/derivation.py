"""From measured spectra to references: files, numbers of their quality, and what each exposure said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from loaders.rejection import Rejected
from loaders.spectral_calibration.geometry import (
    Offsets,
    across_offsets,
    along_offsets,
    corrected,
    fitted_correction,
)
from loaders.spectral_calibration.repeats import FittedResponse, fitted_response, repeats_of, response_of
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_calibration.sensitivity import FittedSensitivity, Standard, fitted_sensitivity
from loaders.spectral_extraction.calibration_file import (
    SensitivityReference,
    write_sensitivity,
)
from loaders.spectral_extraction.response import Response
from loaders.spectral_extraction.sensitivity import Sensitivity
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import FocalPlaneReference, Reference
from loaders.spectral_geometry.reference_file import write_reference

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Said:
    """What an exposure said: sources used, zero point (pixels along y), throughput; None where not asked."""

    n_source: int
    zero_point: float | None = None
    throughput: float | None = None


@dataclass(frozen=True)
class Derived:
    """A reference.

    Parameters
    ----------
    write
        How it is written.
    metrics
        Its quality, by the name of the metric.
    exposures
        What each exposure said.
    refused
        Parts that could not be derived.
    """

    write: Callable[[Path], None]
    metrics: Mapping[str, float]
    exposures: Mapping[int, Said]
    refused: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class Known:
    """What is known of objects from elsewhere, by their identifiers.

    ``fluxes`` are wavelengths (µm, ascending) and flux densities (W m⁻² µm⁻¹) of standards, ``redshifts``
    those of galaxies.
    """

    fluxes: Mapping[int, tuple[FloatArray, FloatArray]]
    redshifts: Mapping[int, float]


def derive_geometry(
    reference: Reference, detector: str, spectra: Sequence[SourceRows], curve: Sensitivity, known: Known
) -> Derived:
    """Refine the geometry of a detector.

    Raises
    ------
    Rejected
        Codes ``wrong_reference``, if its form has no focal plane, and ``no_calibration_source``.
    """
    if not isinstance(reference, FocalPlaneReference):
        what = "it is a configuration of aXe or GRISMCONF, which is not refined"
        remedy = "Load a geometry of the focal plane, of higher version"
        raise Rejected(f"the geometry of {detector}", what, remedy, "wrong_reference")
    along = along_offsets(spectra, curve, known.redshifts)
    correction = fitted_correction(reference, detector, along, across_offsets(spectra))
    better = corrected(reference, detector, correction)
    metrics = {
        "spectral_zero_point_err": correction.errors["zero_point"],
        "spectral_dispersion_err": correction.errors["stretch"] * _nm_per_pixel(better, detector),
        "spectral_geometry_scatter": correction.scatter,
    }
    return Derived(lambda path: write_reference(path, better), metrics, _zero_points(along))


def _nm_per_pixel(reference: FocalPlaneReference, detector: str) -> float:
    """Dispersion in the middle of the band and of the detector."""
    middle, pixel = float(np.mean(reference.wavelength_range)), reference.frames[detector].central_pixel
    here = np.array([pixel[0]]), np.array([pixel[1]])
    y = reference.on(detector).disperse(1, *here, np.array([middle - 0.005, middle + 0.005]))[1][0]
    return 10.0 / abs(float(y[1] - y[0]))


def _zero_points(along: Offsets) -> dict[int, Said]:
    said = {}
    for exposure in np.unique(along.exposure):
        rows = along.exposure == exposure
        mean = float(np.average(along.value[rows], weights=along.error[rows] ** -2.0))
        said[int(exposure)] = Said(int(np.unique(along.source[rows]).size), zero_point=mean)
    return said


def derive_sensitivity(
    base: SensitivityReference,
    detector: str,
    spectra: Sequence[SourceRows],
    known: Known,
    names: Mapping[int, str],
) -> Derived:
    """Derive the sensitivity of a detector: the response by repeated stars, then the curve by standards.

    Where stars are seen at one place only there is no response, and where there are no standards the curve
    stays as it was; that is among what was refused. Other orders change as the first does on average.

    Parameters
    ----------
    base
        The sensitivity before.
    detector
        Detector.
    spectra
        What was measured.
    known
        Fluxes of standards.
    names
        Files of exposures by their identifiers.

    Raises
    ------
    Rejected
        Code ``no_calibration_source``, if there is neither.
    """
    orders = {n: replace(c, covariance=None, response=None) for n, c in base.curves[detector].items()}
    limits = float(orders[1].wavelength[0]), float(orders[1].wavelength[-1])
    response, no_response = _tried(lambda: fitted_response(repeats_of(spectra, orders[1]), limits))
    applied = None if response is None else response_of(response, limits, names)
    standards = _standards(spectra, known, applied, names)
    fitted, no_standard = _tried(lambda: fitted_sensitivity(orders[1], standards))
    if no_response is not None and no_standard is not None:
        what = f"{no_standard.what}, and {no_response.what}"
        raise Rejected(no_standard.where, what, no_standard.remedy, no_standard.code)
    factor = 1.0 if fitted is None else fitted.factor
    orders = {n: replace(c, value=c.value * factor) for n, c in orders.items()}
    orders[1] = orders[1] if fitted is None else fitted.curve
    curves = {n: replace(c, response=applied) for n, c in orders.items()}
    made = SensitivityReference(base.optical_element, {detector: curves})
    return Derived(
        lambda path: write_sensitivity(path, made),
        _quality(response, fitted),
        _throughputs(spectra, response),
        tuple(one for one in (no_response, no_standard) if one is not None),
    )


def _tried(derive: Callable[[], _Found]) -> tuple[_Found | None, Rejected | None]:
    """What is derived, or why it is not."""
    try:
        return derive(), None
    except Rejected as rejected:
        return None, rejected


def _standards(
    spectra: Iterable[SourceRows], known: Known, response: Response | None, names: Mapping[int, str]
) -> list[Standard]:
    """Spectra of the sources whose fluxes are known, with the response of their exposures."""
    return [
        Standard(
            rows,
            *known.fluxes[rows.object_id],
            None if response is None else response.on(names[rows.exposure_id], (0, 0)),
        )
        for rows in spectra
        if rows.object_id in known.fluxes
    ]


def _quality(response: FittedResponse | None, fitted: FittedSensitivity | None) -> dict[str, float]:
    """Quality of what was derived."""
    metrics = {}
    if response is not None:
        metrics["spectral_response_err"] = response.error
        metrics["spectral_response_scatter"] = response.scatter
    if fitted is not None:
        metrics["spectral_sensitivity_err"] = fitted.relative_error
        metrics["spectral_standard_residual"] = float(np.std(fitted.ratio))
    return metrics


def _throughputs(spectra: Iterable[SourceRows], response: FittedResponse | None) -> dict[int, Said]:
    number: dict[int, int] = {}
    for rows in spectra:
        number[rows.exposure_id] = number.get(rows.exposure_id, 0) + 1
    grey = {} if response is None else response.exposures
    return {
        key: Said(n, throughput=float(np.exp(grey[key])) if key in grey else None)
        for key, n in number.items()
    }
