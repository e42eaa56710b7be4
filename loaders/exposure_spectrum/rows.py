"""Rows of the database from what an exposure gives, as columns for COPY."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.exposure_spectrum.measure import Measured
from loaders.spectral_extraction.location import Locations
from loaders.spectral_extraction.shape import Shape
from loaders.spectral_extraction.spectrum import SourceSpectrum
from loaders.spectral_geometry.polynomial import FloatArray

_UNIT = 1e-20
"""W m⁻² µm⁻¹ of one, as fluxes of spectra are stored."""
_NAN = float("nan")
_ARRAYS = ("wavelength", "flux", "flux_err", "contamination")
_NUMBERS = ("contamination_median", "snr", "lsf_fwhm")


def location_columns(measured: Measured, found: Locations) -> dict[str, Any]:
    """Rows of roman.spectrum_location, but for extraction and run."""
    source = found.source
    return {
        "object_id": measured.object_id[source],
        "spectral_order": found.order.astype(np.int16),
        "x": measured.places.x[source],
        "y": measured.places.y[source],
        "x_first": found.x_first,
        "y_first": found.y_first,
        "x_last": found.x_last,
        "y_last": found.y_last,
        "wavelength_min": found.shortest,
        "wavelength_max": found.longest,
        "fraction_on_detector": found.on_detector,
        "overlap_fraction": found.overlap,
        "flags": found.flags,
    }


def spectrum_columns(measured: Measured) -> dict[str, Any]:
    """Rows of roman.exposure_spectrum, but for extraction and run."""
    spectra = measured.spectra
    shapes = measured.shapes or [None] * measured.object_id.size
    rows = [_spectrum_row(spectra.get(n), shape) for n, shape in enumerate(shapes)]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in ("n_pixel", *_ARRAYS, *_NUMBERS)}
    numbers = {name: np.array(columns[name], dtype=np.float64) for name in _NUMBERS}
    given = {"object_id": measured.object_id, "warning": measured.warning, "reason": measured.reason}
    return given | columns | numbers


def _spectrum_row(spectrum: SourceSpectrum | None, shape: Shape | None) -> dict[str, Any]:
    """What there is of the spectrum of an object; nothing where there is none."""
    if spectrum is None or shape is None:
        return {"n_pixel": 0} | dict.fromkeys(_ARRAYS, np.zeros(0)) | dict.fromkeys(_NUMBERS, _NAN)
    order = np.argsort(spectrum.calibrated.wavelength)
    flux, error = spectrum.calibrated.flux[order] / _UNIT, spectrum.calibrated.error[order] / _UNIT
    return {
        "n_pixel": order.size,
        "wavelength": spectrum.calibrated.wavelength[order],
        "flux": _single(flux),
        "flux_err": _single(error),
        "contamination": _single(spectrum.contamination[order]),
        "contamination_median": float(np.median(spectrum.contamination)),
        "snr": float(np.nanmedian(flux / error)),
        "lsf_fwhm": shape.fwhm,
    }


def _single(values: FloatArray) -> npt.NDArray[np.float32]:
    return values.astype(np.float32)
