"""Configuration files of aXe and of GRISMCONF: the traces of one detector as lines of keywords and numbers.

GRISMCONF: ``DISPX_1_0 a0 a1 …``, ``DISPY_1_0``, ``DISPL_1_0`` are the coefficients, polynomials of the direct
pixel, of powers of t from 0 to 1. aXe: ``BEAMA first last``, ``DYDX_A_0``, ``DLDP_A_0``, ``XOFF_A``,
``YOFF_A``: the trace as a polynomial of the offset in x, the wavelength as one of the length of the path
(Kümmel et al. 2009, PASP 121, 59). Direct pixels are counted from 0 in both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loaders.input_file import read_bytes
from loaders.rejection import Rejected
from loaders.spectral_geometry.orders import TraceOrder
from loaders.spectral_geometry.polynomial import FloatArray, triangular
from loaders.spectral_geometry.reference import TraceReference

_BEAMS = {"A": 1, "B": 0, "C": 2, "D": 3, "E": -1}
"""Orders of the beams of aXe."""
_LONGEST_IN_MICRONS = 100.0
"""Wavelengths above are taken for Å: the files do not name their unit."""
_CENTRE = np.array([2043.5])
_REMEDY = "Give a configuration of aXe (DYDX, DLDP) or GRISMCONF (DISPX, DISPY, DISPL)"

Lines = dict[str, list[str]]


def read_configuration(path: Path, optical_element: str = "GRISM") -> TraceReference:
    """Read a configuration file.

    Parameters
    ----------
    path
        File.
    optical_element
        What it is for, where it has no keyword ``FILTER`` or ``OPTICAL_ELEMENT``.

    Raises
    ------
    Rejected
        Codes ``missing_file``, ``unreadable_file``, ``not_dispersion``.
    """
    lines = _lines(read_bytes(path, "a configuration of aXe or GRISMCONF").decode("utf-8", "replace"))
    try:
        orders = _grismconf(lines) or _axe(lines)
        if not orders:
            raise ValueError("no order is defined")
        name = lines.get("OPTICAL_ELEMENT") or lines.get("FILTER") or [optical_element]
        return TraceReference(name[0], *_with_ranges(orders))
    except KeyError as error:
        raise Rejected(str(path), f"it lacks the keyword {error}", _REMEDY, "not_dispersion") from error
    except ValueError as error:
        what = f"it is no configuration of traces ({error})"
        raise Rejected(str(path), what, _REMEDY, "not_dispersion") from error


def _lines(text: str) -> Lines:
    """Keywords and what follows them, without comments."""
    rows = (line.split("#")[0].split(";")[0].split() for line in text.splitlines())
    return {row[0]: row[1:] for row in rows if row}


def _grismconf(lines: Lines) -> dict[int, TraceOrder]:
    names = {key.split("_")[1] for key in lines if key.startswith("DISPL_")}
    orders = {}
    for name in sorted(names):
        x, y, wavelength = (_powers(lines, f"{axis}_{name}_") for axis in ("DISPX", "DISPY", "DISPL"))
        orders[int(name)] = TraceOrder(x, y, wavelength, (0.0, 1.0))
    return orders


def _axe(lines: Lines) -> dict[int, TraceOrder]:
    orders = {}
    for beam, number in _BEAMS.items():
        if f"BEAM{beam}" not in lines:
            continue
        first, last = (float(value) for value in lines[f"BEAM{beam}"][:2])
        y, wavelength = (_powers(lines, f"{key}_{beam}_") for key in ("DYDX", "DLDP"))
        x_offset = _optional(lines, f"XOFF_{beam}")
        x = np.stack([x_offset, np.zeros_like(x_offset)])
        x[1, 0, 0] = 1.0
        y = _sum(y, _optional(lines, f"YOFF_{beam}")[None])
        orders[number] = TraceOrder(x, y, wavelength, (first, last), by_path=True)
    return orders


def _powers(lines: Lines, prefix: str) -> FloatArray:
    """Coefficients of the powers 0, 1, … of the parameter, shape (n, p, p).

    Raises
    ------
    KeyError
        If there are none.
    """
    endings = [key.removeprefix(prefix) for key in lines if key.startswith(prefix)]
    numbers = sorted(int(ending) for ending in endings if ending.isdigit())
    if numbers != list(range(len(numbers))) or not numbers:
        missing = next(n for n in range(len(numbers) + 1) if n not in numbers)
        raise KeyError(f"{prefix}{missing}")
    planes = [triangular(_numbers(lines, f"{prefix}{n}")) for n in numbers]
    size = max(plane.shape[0] for plane in planes)
    return np.stack([np.pad(plane, (0, size - plane.shape[0])) for plane in planes])


def _optional(lines: Lines, key: str) -> FloatArray:
    return triangular(_numbers(lines, key)) if key in lines else np.zeros((1, 1))


def _numbers(lines: Lines, key: str) -> FloatArray:
    values = np.array([float(value) for value in lines[key]])
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{key} must be finite numbers, got {' '.join(lines[key])}")
    return values


def _sum(one: FloatArray, other: FloatArray) -> FloatArray:
    """Sum of coefficients of different shapes."""
    shape = tuple(max(sizes) for sizes in zip(one.shape, other.shape, strict=True))
    total = np.zeros(shape)
    for array in (one, other):
        total[tuple(slice(size) for size in array.shape)] += array
    return total


def _with_ranges(
    orders: dict[int, TraceOrder],
) -> tuple[dict[int, TraceOrder], dict[int, tuple[float, float]]]:
    """Orders with wavelengths in µm, and the wavelengths at the ends of traces at the detector's centre."""
    scaled, ranges = {}, {}
    for number, order in orders.items():
        ends = order.wavelengths(_CENTRE, _CENTRE, np.array([order.parameter]))[0]
        unit = 1e-4 if float(np.max(np.abs(ends))) > _LONGEST_IN_MICRONS else 1.0
        scaled[number] = TraceOrder(order.x, order.y, order.wavelength * unit, order.parameter, order.by_path)
        ranges[number] = (float(ends.min() * unit), float(ends.max() * unit))
    return scaled, ranges
