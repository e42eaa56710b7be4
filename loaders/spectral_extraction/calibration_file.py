"""Sensitivities and flats as files: ASDF, with the numbers as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asdf
import numpy as np

from loaders.rejection import Rejected
from loaders.spectral_extraction.response import Response
from loaders.spectral_extraction.sensitivity import RelativeCovariance, Sensitivity, nominal_sensitivity
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.polynomial import FloatArray

SENSITIVITY, FLAT = "spectral_sensitivity", "spectral_flat"
"""Keys of the trees under which they stand."""
_VERSION = 1


@dataclass(frozen=True)
class SensitivityReference:
    """Sensitivities of ``GRISM`` or ``PRISM`` by detector and by the number of the order."""

    optical_element: str
    curves: Mapping[str, Mapping[int, Sensitivity]]


@dataclass(frozen=True)
class FlatReference:
    """A flat of a detector through ``GRISM`` or ``PRISM``.

    ``values`` of shape (ny, nx), of the whole detector; near 1, NaN where it is not known.
    """

    optical_element: str
    detector: str
    values: FloatArray


def designed_sensitivity(optical_element: str) -> SensitivityReference:
    """What effective areas say, of all detectors and orders."""
    orders = sorted(nominal_reference(optical_element).orders)
    return SensitivityReference(
        optical_element,
        {
            detector: {order: nominal_sensitivity(detector, optical_element, order) for order in orders}
            for detector in (f"WFI{number:02d}" for number in range(1, 19))
        },
    )


def write_sensitivity(path: Path, reference: SensitivityReference) -> None:
    """Write sensitivities; wavelengths in µm, values in electrons/s of one W m⁻²."""
    curves = {
        detector: {str(order): _curve_tree(curve) for order, curve in orders.items()}
        for detector, orders in reference.curves.items()
    }
    tree = {"version": _VERSION, "optical_element": reference.optical_element, "curves": curves}
    asdf.AsdfFile({SENSITIVITY: tree | {"wavelength_unit": "um"}}).write_to(path)


def _curve_tree(curve: Sensitivity) -> dict[str, Any]:
    tree: dict[str, Any] = {"wavelength": curve.wavelength, "value": curve.value}
    if curve.covariance is not None:
        tree["relative_covariance"] = {
            "wavelength": curve.covariance.wavelength,
            "value": curve.covariance.value,
        }
    if curve.response is not None:
        tree["response"] = {
            "terms": curve.response.terms,
            "wavelength_range": list(curve.response.wavelength_range),
            "exposures": dict(curve.response.exposures),
        }
    return tree


def write_flat(path: Path, reference: FlatReference) -> None:
    """Write a flat."""
    tree = {
        "version": _VERSION,
        "optical_element": reference.optical_element,
        "detector": reference.detector,
        "values": reference.values,
    }
    asdf.AsdfFile({FLAT: tree}).write_to(path)


def read_sensitivity(path: Path) -> SensitivityReference:
    """Read sensitivities.

    Raises
    ------
    Rejected
        Code ``not_sensitivity``.
    """
    try:
        tree = _tree(path, SENSITIVITY)
        if tree["wavelength_unit"] != "um":
            raise ValueError(f"wavelengths in {tree['wavelength_unit']}, not um")
        curves = {
            str(detector): {int(order): _curve(entry) for order, entry in orders.items()}
            for detector, orders in tree["curves"].items()
        }
        return SensitivityReference(str(tree["optical_element"]), curves)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it has no sensitivities of ours ({' '.join(str(error).split())})"
        remedy = "Give a file that roman-db spectral-extraction sensitivity wrote, or one like it"
        raise Rejected(str(path), what, remedy, "not_sensitivity") from error


def read_flat(path: Path) -> FlatReference:
    """Read a flat.

    Raises
    ------
    Rejected
        Code ``not_flat``.
    """
    try:
        tree = _tree(path, FLAT)
        values = np.array(tree["values"], dtype=np.float64)
        if values.ndim != 2 or not (values > 0).any():
            raise ValueError(f"its values, of shape {values.shape}, are no image with numbers above 0")
        return FlatReference(str(tree["optical_element"]), str(tree["detector"]), values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it has no flat of ours ({' '.join(str(error).split())})"
        remedy = "Give an ASDF file with spectral_flat: version, optical_element, detector and values"
        raise Rejected(str(path), what, remedy, "not_flat") from error


def _tree(path: Path, key: str) -> dict[str, Any]:
    """Content below a key, of the version that is known here."""
    with asdf.open(path, lazy_load=False, memmap=False) as opened:
        tree: dict[str, Any] = opened.tree[key]
        if tree["version"] != _VERSION:
            raise ValueError(f"version {tree['version']} of the form is not known")
        return tree


def _curve(entry: Mapping[str, Any]) -> Sensitivity:
    wavelength, value = (np.array(entry[name], dtype=np.float64) for name in ("wavelength", "value"))
    if wavelength.shape != value.shape or wavelength.ndim != 1 or not np.all(np.diff(wavelength) > 0):
        raise ValueError("a curve must have ascending wavelengths, and as many values")
    if not (np.all(np.isfinite(value)) and np.all(value >= 0) and value.any()):
        raise ValueError("the values of a curve must be finite, not negative, and not all 0")
    covariance, response = entry.get("relative_covariance"), entry.get("response")
    return Sensitivity(
        wavelength,
        value,
        None if covariance is None else _covariance(covariance),
        None if response is None else _response(response),
    )


def _covariance(entry: Mapping[str, Any]) -> RelativeCovariance:
    return RelativeCovariance(*(np.array(entry[name], dtype=np.float64) for name in ("wavelength", "value")))


def _response(entry: Mapping[str, Any]) -> Response:
    low, high = entry["wavelength_range"]
    exposures = {str(name): float(value) for name, value in entry["exposures"].items()}
    return Response(np.array(entry["terms"], dtype=np.float64), (float(low), float(high)), exposures)
