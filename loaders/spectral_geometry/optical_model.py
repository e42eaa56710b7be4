"""The community's optical model of Roman's grism and prism: a YAML file of polynomials of field angle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.spectral_geometry.orders import FocalPlaneOrder
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import DetectorFrame, FocalPlaneReference

_MATRICES = {"x_map": "xmap_ij_coeff", "y_map": "ymap_ij_coeff"}
_CUBES = {"along": "ids_ijk_coeff", "curvature": "crv_ijk_coeff"}
_REMEDY = "Give an optical model as the Roman SSC publishes it"


def read_optical_model(path: Path) -> FocalPlaneReference:
    """Read an optical model; orders without coefficients are left out.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``not_dispersion``.
    """
    text = read_bytes(path, "an optical model")
    try:
        return optical_model(yaml.safe_load(text))
    except KeyError as error:
        raise Rejected(str(path), f"it lacks the key {error}", _REMEDY, "not_dispersion") from error
    except (ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        what = f"it is no optical model ({' '.join(str(error).split())})"
        raise Rejected(str(path), what, _REMEDY, "not_dispersion") from error


def optical_model(tree: dict[str, Any]) -> FocalPlaneReference:
    """The reference of the tree of an optical model.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something is missing or no number, or its unit is not the micron.
    """
    meta, model = tree["meta"], tree["optical_model"]
    if meta["unit_wl"] != "micron":
        raise ValueError(f"meta.unit_wl must be micron, got {meta['unit_wl']!r}")
    transform = model["wl_transform"]
    if transform not in ("linear", "log"):
        raise ValueError(f"optical_model.wl_transform must be linear or log, got {transform!r}")
    orders = {
        int(name.replace("m", "-")): _order(name, entry)
        for name, entry in model["orders"].items()
        if entry["xmap_ij_coeff"] is not None
    }
    return FocalPlaneReference(
        str(meta["optical_element"]).upper(),
        orders,
        _frames(tree["detector_model"]),
        float(model["wl_reference"]),
        transform == "log",
        (float(model["wl_min"]), float(model["wl_max"])),
    )


def _order(name: str, entry: dict[str, Any]) -> FocalPlaneOrder:
    matrices = {ours: _coefficients(name, theirs, entry, 2) for ours, theirs in _MATRICES.items()}
    return FocalPlaneOrder(
        **matrices, **{ours: _coefficients(name, theirs, entry, 3) for ours, theirs in _CUBES.items()}
    )


def _coefficients(order: str, key: str, entry: dict[str, Any], dimensions: int) -> FloatArray:
    array = np.array(entry[key], dtype=np.float64)
    if array.ndim != dimensions or not np.all(np.isfinite(array)):
        raise ValueError(f"order {order}: {key} must be {dimensions}-dimensional and finite")
    return array


def _frames(detectors: dict[str, Any]) -> dict[str, DetectorFrame]:
    """Detectors by name; the file counts pixels from 1."""
    centre = float(detectors["crpix1"]) - 1, float(detectors["crpix2"]) - 1
    scale, angle = float(detectors["plate_scale"]), float(detectors["pos_angle_detector"])
    return {
        f"WFI{int(number):02d}": DetectorFrame((float(x), float(y)), scale, centre, angle)
        for number, (x, y) in detectors["xy_centers"].items()
    }
