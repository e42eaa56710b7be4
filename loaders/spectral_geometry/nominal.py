"""The reference to begin with: traces as the instrument was designed, before any were measured.

Dispersion at the centre of the field is that of the Roman technical information (PyPI
``roman-technical-information``, CC0). Orders 0 and 2 of the grism, the tilt of traces and the change of
dispersion over the field are round numbers: order 0 some 1375 pixels away, order 2 some 1362 pixels the other
way, 15 pixels of tilt at the edges of the field, 1.09 nm a pixel at the centre against 1.05 at the edge.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from loaders.simulation.distortion import CENTRE
from loaders.simulation.instrument_tables import dispersion_table
from loaders.spectral_geometry.direct import DirectMap
from loaders.spectral_geometry.orders import FocalPlaneOrder
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import DetectorFrame, FocalPlaneReference, transformed

_PIXELS_PER_MM = 100.0
_MM_PER_DEGREE = 0.01 * 3600 / 0.11
_REFERENCE = {"GRISM": 1.55, "PRISM": 1.2}
_RANGE = {"GRISM": (0.95, 1.97), "PRISM": (0.72, 1.85)}
_DEGREE = {"GRISM": 1, "PRISM": 5}
_SIGN = {"GRISM": 1.0, "PRISM": -1.0}
"""Whether light of longer wavelengths goes up or down in the focal plane."""
_STRETCH = 0.23
"""By which share of itself a trace grows a square degree off the centre of the field."""
_TILT = -0.1
"""Slope of the traces a degree off the axis of the field."""
_ORDERS: dict[str, dict[int, tuple[float, float]]] = {
    "GRISM": {1: (0.0, 1.0), 0: (-13.75, 0.04), 2: (13.62, 1.94)},
    "PRISM": {1: (0.0, 1.0)},
}
"""Of each order: where its reference wavelength falls, mm from that of the first, and its length."""


@lru_cache(maxsize=2)
def nominal_reference(optical_element: str) -> FocalPlaneReference:
    """The nominal reference of ``GRISM`` or ``PRISM``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if optical_element not in _ORDERS:
        raise ValueError(f"optical_element must be one of {sorted(_ORDERS)}, got {optical_element!r}")
    directs = {f"WFI{n:02d}": DirectMap.of_detector(f"WFI{n:02d}") for n in range(1, 19)}
    along = _along(optical_element)
    return FocalPlaneReference(
        optical_element,
        {number: _order(along, *shape) for number, shape in _ORDERS[optical_element].items()},
        {name: _frame(direct) for name, direct in directs.items()},
        _REFERENCE[optical_element],
        optical_element == "PRISM",
        _RANGE[optical_element],
        directs,
    )


def _along(optical_element: str) -> FloatArray:
    """Polynomial of the transformed wavelength that gives mm along the trace at the field's centre."""
    wavelength, nm_per_pixel = dispersion_table(optical_element)
    steps = np.diff(wavelength) * 1000 / ((nm_per_pixel[1:] + nm_per_pixel[:-1]) / 2)
    pixels = np.concatenate([[0.0], np.cumsum(steps)])
    reference = _REFERENCE[optical_element]
    pixels -= np.interp(reference, wavelength, pixels)
    t = transformed(wavelength, reference, optical_element == "PRISM")
    powers = np.arange(1, _DEGREE[optical_element] + 1)
    fitted = np.linalg.lstsq(t[:, None] ** powers, pixels / _PIXELS_PER_MM, rcond=None)[0]
    return _SIGN[optical_element] * np.concatenate([[0.0], fitted])


def _order(along: FloatArray, offset: float, length: float) -> FocalPlaneOrder:
    x_map, y_map = np.zeros((2, 2)), np.zeros((2, 2))
    x_map[1, 0], y_map[0, 1], y_map[0, 0] = _MM_PER_DEGREE, _MM_PER_DEGREE, offset
    field = np.zeros((3, 3))
    field[0, 0], field[2, 0], field[0, 2] = length, length * _STRETCH, length * _STRETCH
    curvature = np.zeros((2, 2, 1))
    curvature[1, 1, 0] = _TILT
    return FocalPlaneOrder(x_map, y_map, along[:, None, None] * field, curvature)


def _frame(direct: DirectMap) -> DetectorFrame:
    """The detector where its central pixel falls undispersed."""
    u, v = direct.to_angle(np.array([CENTRE]), np.array([CENTRE]))
    centre = float(u[0]) * _MM_PER_DEGREE, float(v[0]) * _MM_PER_DEGREE
    return DetectorFrame(centre, _PIXELS_PER_MM, (CENTRE, CENTRE))
