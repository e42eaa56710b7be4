"""Our own form of references of the geometry: ASDF, with the coefficients as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asdf
import numpy as np

from loaders.rejection import Rejected
from loaders.simulation.distortion import Distortion
from loaders.spectral_geometry.direct import DirectMap
from loaders.spectral_geometry.orders import FocalPlaneOrder, TraceOrder
from loaders.spectral_geometry.reference import (
    DetectorFrame,
    FocalPlaneReference,
    Reference,
    TraceReference,
)

KEY = "spectral_geometry"
"""Key of the tree under which the reference stands."""
_VERSION = 1


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference; wavelengths in µm, angles in deg, lengths in mm."""
    focal = isinstance(reference, FocalPlaneReference)
    tree = _focal_tree(reference) if isinstance(reference, FocalPlaneReference) else _trace_tree(reference)
    head = {
        "version": _VERSION,
        "form": "focal_plane" if focal else "trace",
        "optical_element": reference.optical_element,
        "wavelength_unit": "um",
    }
    asdf.AsdfFile({KEY: head | tree}).write_to(path)


def read_reference(path: Path) -> Reference:
    """Read a reference.

    Raises
    ------
    Rejected
        Code ``not_dispersion``.
    """
    try:
        with asdf.open(path, lazy_load=False, memmap=False) as opened:
            return _from_tree(opened.tree[KEY])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it is no reference of a geometry of ours ({' '.join(str(error).split())})"
        remedy = "Give a file that roman-db spectral-geometry convert wrote"
        raise Rejected(str(path), what, remedy, "not_dispersion") from error


def _focal_tree(reference: FocalPlaneReference) -> dict[str, Any]:
    return {
        "reference_wavelength": reference.reference_wavelength,
        "logarithmic": reference.logarithmic,
        "wavelength_range": list(reference.wavelength_range),
        "orders": {
            str(number): {"x_map": o.x_map, "y_map": o.y_map, "along": o.along, "curvature": o.curvature}
            for number, o in reference.orders.items()
        },
        "frames": {
            name: {
                "centre": list(f.centre),
                "pixels_per_mm": f.pixels_per_mm,
                "central_pixel": list(f.central_pixel),
                "angle": f.angle,
            }
            for name, f in reference.frames.items()
        },
        "direct": {
            name: {
                "v2_ref": d.distortion.v2_ref,
                "v3_ref": d.distortion.v3_ref,
                "forward": d.distortion.forward,
                "inverse": d.distortion.inverse,
            }
            for name, d in reference.direct.items()
        },
    }


def _trace_tree(reference: TraceReference) -> dict[str, Any]:
    return {
        "orders": {
            str(number): {
                "x": o.x,
                "y": o.y,
                "wavelength": o.wavelength,
                "parameter": list(o.parameter),
                "by_path": o.by_path,
                "wavelength_range": list(reference.wavelength_range[number]),
            }
            for number, o in reference.orders.items()
        }
    }


def _from_tree(tree: dict[str, Any]) -> Reference:
    if tree["version"] != _VERSION or tree["wavelength_unit"] != "um":
        raise ValueError(f"version {tree['version']} in {tree['wavelength_unit']} is not known")
    return _focal(tree) if tree["form"] == "focal_plane" else _trace(tree)


def _focal(tree: dict[str, Any]) -> FocalPlaneReference:
    names = ("x_map", "y_map", "along", "curvature")
    orders = {
        int(number): FocalPlaneOrder(**{name: np.asarray(entry[name], float) for name in names})
        for number, entry in tree["orders"].items()
    }
    frames = {
        name: DetectorFrame(_pair(f["centre"]), f["pixels_per_mm"], _pair(f["central_pixel"]), f["angle"])
        for name, f in tree["frames"].items()
    }
    direct = {
        name: DirectMap(
            Distortion(d["v2_ref"], d["v3_ref"], np.asarray(d["forward"]), np.asarray(d["inverse"]))
        )
        for name, d in tree["direct"].items()
    }
    return FocalPlaneReference(
        tree["optical_element"],
        orders,
        frames,
        tree["reference_wavelength"],
        tree["logarithmic"],
        _pair(tree["wavelength_range"]),
        direct,
    )


def _trace(tree: dict[str, Any]) -> TraceReference:
    entries = {int(number): entry for number, entry in tree["orders"].items()}
    orders = {
        number: TraceOrder(
            np.asarray(e["x"], dtype=np.float64),
            np.asarray(e["y"], dtype=np.float64),
            np.asarray(e["wavelength"], dtype=np.float64),
            _pair(e["parameter"]),
            bool(e["by_path"]),
        )
        for number, e in entries.items()
    }
    ranges = {number: _pair(e["wavelength_range"]) for number, e in entries.items()}
    return TraceReference(tree["optical_element"], orders, ranges)


def _pair(values: Any) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)
