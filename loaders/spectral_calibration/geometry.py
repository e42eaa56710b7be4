"""A geometry refined by where edges, lines and traces of spectra fall beside where it puts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import comb

import numpy as np
import numpy.typing as npt

from loaders.rejection import Rejected
from loaders.spectral_calibration.edges import band_edges, edge_shift
from loaders.spectral_calibration.emission import line_shifts
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_extraction.sensitivity import Sensitivity
from loaders.spectral_geometry.orders import FocalPlaneOrder
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.spectral_geometry.reference import FocalPlaneReference

_FLOOR = 0.02
"""Error (pixels) that every place has beside that of its noise: images are known no better."""
_CLIP = 4.0
_ROUNDS = 6
_SOURCES_OF_DEGREE = (0, 10, 40)
"""Sources from which on corrections are polynomials of degree 0, 1, 2 of the field angle."""
_ONE_WAVELENGTH = 0.05
"""Range of wavelengths (µm) below which dispersion is not told from the zero point."""
_LEAST_SPAN = 1000.0
"""Pixels over which sources must spread in x and in y for more than a constant."""


@dataclass(frozen=True)
class Offsets:
    """Where light falls beside where a geometry puts it; arrays of shape (n,).

    Parameters
    ----------
    x, y
        Direct pixels of the sources, of the detector.
    wavelength
        µm.
    value, error
        Pixels.
    source, exposure
        Object and exposure of each.
    """

    x: FloatArray
    y: FloatArray
    wavelength: FloatArray
    value: FloatArray
    error: FloatArray
    source: npt.NDArray[np.int64]
    exposure: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: Iterable[tuple[SourceRows, float, float, float]]) -> Offsets:
        """Of rows of sources, wavelengths, offsets and errors; those that are not known are left out."""
        known = [one for one in found if np.isfinite(one[2]) and np.isfinite(one[3])]
        numbers = np.array([(*one[0].direct, *one[1:]) for one in known], dtype=np.float64).reshape(-1, 5)
        keys = [(one[0].object_id, one[0].exposure_id) for one in known]
        return cls(*numbers.T, *np.array(keys, dtype=np.int64).reshape(-1, 2).T)


def along_offsets(
    spectra: Iterable[SourceRows], curve: Sensitivity, redshifts: Mapping[int, float]
) -> Offsets:
    """Offsets along the dispersion: of the edges of the band in stars, and of lines of galaxies.

    Parameters
    ----------
    spectra
        What was measured.
    curve
        Sensitivity of the order.
    redshifts
        Redshifts, known from elsewhere, by object.
    """
    edges = band_edges(curve)
    found = []
    for rows in spectra:
        if rows.object_id in redshifts:
            shifts = list(line_shifts(rows, redshifts[rows.object_id]))
        else:
            shifts = [(edge, edge_shift(rows, curve, edge)) for edge in edges if rows.is_point]
        found += [(rows, wavelength, *shift) for wavelength, shift in shifts]
    return Offsets.of(found)


def across_offsets(spectra: Iterable[SourceRows]) -> Offsets:
    """Offsets of traces across the dispersion."""
    return Offsets.of(
        (rows, *values)
        for rows in spectra
        for values in zip(rows.across.wavelength, rows.across.offset, rows.across.error, strict=True)
    )


@dataclass(frozen=True)
class Correction:
    """What a geometry of a detector lacks.

    Parameters
    ----------
    x, y
        Shape (p, p): ``[j, k]`` multiplies ``u**j * v**k`` of the field angles (deg); pixels.
    tilt
        Pixels in x for each along the dispersion.
    stretch
        Share of itself by which traces are longer.
    errors
        Standard errors: ``zero_point`` (pixels, at the middle of the sources and of the band) and
        ``stretch``; the latter NaN where all is of one wavelength, and the stretch stays 0.
    scatter
        Robust scatter (pixels) of the offsets along the dispersion about the correction.
    zero_point
        Correction along the dispersion at the middle of the sources and of the band, pixels.
    n_source
        Sources.
    """

    x: FloatArray
    y: FloatArray
    tilt: float
    stretch: float
    errors: Mapping[str, float]
    scatter: float
    zero_point: float
    n_source: int


def fitted_correction(
    reference: FocalPlaneReference, detector: str, along: Offsets, across: Offsets
) -> Correction:
    """Fit a correction to offsets.

    Parameters
    ----------
    reference, detector
        The geometry from which they were measured.
    along, across
        Offsets along and across the dispersion; without the latter traces stay where they are.

    Raises
    ------
    Rejected
        Code ``no_calibration_source``, if nothing was measured along the dispersion.
    """
    if not along.value.size:
        what = "neither an edge of the band nor an emission line is seen"
        remedy = "Take exposures of isolated stars that are not saturated, or load redshifts of galaxies"
        raise Rejected(f"{reference.optical_element} {detector}", what, remedy, "no_calibration_source")
    centre = float(np.mean(along.x)), float(np.mean(along.y))
    y, y_error, scatter = _fit(reference, detector, along, centre)
    x = _fit(reference, detector, across, centre)[0] if across.value.size else np.zeros(2)
    start = _angle(reference, detector, np.array([centre[0]]), np.array([centre[1]]))
    middle = (float(start[0][0]), float(start[1][0]))
    return Correction(
        _expanded(x[1:], middle),
        _expanded(y[1:], middle),
        float(x[0]),
        float(y[0]),
        {"stretch": y_error[0], "zero_point": y_error[1]},
        scatter,
        float(y[1]),
        int(np.unique(along.source).size),
    )


def _angle(
    reference: FocalPlaneReference, detector: str, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Field angles (deg) of direct pixels."""
    return reference.on(detector).orders[1].direct.to_angle(x, y)  # type: ignore[attr-defined, no-any-return]


def _fit(
    reference: FocalPlaneReference, detector: str, found: Offsets, centre: tuple[float, float]
) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients, their errors, and the scatter.

    The first coefficient goes with the pixels along the dispersion from the middle of those that were
    measured, the others with 1, u, v, u², u v, v² of the field angles from those of ``centre``.
    """
    u, v = _angle(reference, detector, found.x, found.y)
    u0, v0 = _angle(reference, detector, np.array(centre[:1]), np.array(centre[1:]))
    trace, is_one = _along(reference, detector, found), np.ptp(found.wavelength) < _ONE_WAVELENGTH
    trace = np.zeros(trace.shape) if is_one else trace
    powers = [(u - u0) ** (total - k) * (v - v0) ** k for total in range(_degree(found) + 1)
              for k in range(total + 1)]  # fmt: skip
    design = np.column_stack([trace, *powers])
    error = np.hypot(found.error, _FLOOR)
    keep = np.ones(error.size, dtype=bool)
    for _ in range(_ROUNDS):
        weighted = design[keep] / error[keep, None]
        fitted = np.linalg.lstsq(weighted, found.value[keep] / error[keep], rcond=None)[0]
        left = found.value - design @ fitted
        scale = max(1.0, 1.4826 * float(np.median(np.abs(left / error))))
        keep = np.abs(left) < _CLIP * scale * error
    errors = scale * np.sqrt(np.diag(np.linalg.pinv(weighted.T @ weighted)))
    errors[0] = np.nan if is_one else errors[0]
    return np.asarray(fitted), errors, 1.4826 * float(np.median(np.abs(left)))


def _degree(found: Offsets) -> int:
    """Degree of the polynomial of the field angle that sources allow."""
    if min(np.ptp(found.x), np.ptp(found.y)) < _LEAST_SPAN:
        return 0
    number = np.unique(found.source).size
    return int(np.searchsorted(_SOURCES_OF_DEGREE, number, side="right")) - 1


def _along(reference: FocalPlaneReference, detector: str, found: Offsets) -> FloatArray:
    """Pixels along the trace (y of the detector) from the middle of the band to each wavelength."""
    middle = np.full((found.x.size, 1), np.mean(reference.wavelength_range))
    wavelength = np.column_stack([found.wavelength, middle])
    y = reference.on(detector).disperse(1, found.x, found.y, wavelength)[1]
    return np.asarray(y[:, 0] - y[:, 1])


def _expanded(values: FloatArray, centre: tuple[float, float]) -> FloatArray:
    """Coefficients by powers of u and v of those by powers of their distances from a centre."""
    degree = int((np.sqrt(8 * values.size + 1) - 3) / 2)
    result = np.zeros((degree + 1, degree + 1))
    powers = [(total - k, k) for total in range(degree + 1) for k in range(total + 1)]
    for (p, q), value in zip(powers, values, strict=True):
        for j in range(p + 1):
            for k in range(q + 1):
                shift = comb(p, j) * comb(q, k) * (-centre[0]) ** (p - j) * (-centre[1]) ** (q - k)
                result[j, k] += value * shift
    return result


def corrected(reference: FocalPlaneReference, detector: str, correction: Correction) -> FocalPlaneReference:
    """The geometry of a detector with a correction; all orders move and stretch as the first does.

    The reference has this detector alone, as its corrections are not those of others.
    """
    frame = reference.frames[detector]
    turned = reference.on(detector).orders[1].direct.turned  # type: ignore[attr-defined]
    angle = np.radians(frame.angle + (180.0 if turned else 0.0))
    cosine, sine = np.cos(angle) / frame.pixels_per_mm, np.sin(angle) / frame.pixels_per_mm
    middle = np.array([[_to_middle(reference, detector)]])
    y = _sum(correction.y, -correction.stretch * middle)
    x = _sum(correction.x, -correction.tilt * middle)
    moves = _sum(cosine * x, -sine * y), _sum(sine * x, cosine * y)
    orders = {number: _moved(order, moves, correction) for number, order in reference.orders.items()}
    direct = {name: one for name, one in reference.direct.items() if name == detector}
    return replace(reference, orders=orders, frames={detector: frame}, direct=direct)


def _to_middle(reference: FocalPlaneReference, detector: str) -> float:
    """Pixels along the trace from the reference wavelength to the middle of the band."""
    frame = reference.frames[detector]
    here = np.array([frame.central_pixel[0]]), np.array([frame.central_pixel[1]])
    at = np.array([np.mean(reference.wavelength_range), reference.reference_wavelength])
    y = reference.on(detector).disperse(1, *here, at)[1][0]
    return float(y[0] - y[1])


def _moved(
    order: FocalPlaneOrder, moves: tuple[FloatArray, FloatArray], correction: Correction
) -> FocalPlaneOrder:
    curvature = order.curvature.copy()
    curvature[min(1, curvature.shape[0] - 1), 0, 0] += correction.tilt
    return FocalPlaneOrder(
        _sum(order.x_map, moves[0]),
        _sum(order.y_map, moves[1]),
        order.along * (1 + correction.stretch),
        curvature,
    )


def _sum(first: FloatArray, second: FloatArray) -> FloatArray:
    """Sum of polynomials of two variables."""
    size = np.maximum(first.shape, second.shape)
    total = np.zeros(tuple(size))
    total[: first.shape[0], : first.shape[1]] += first
    total[: second.shape[0], : second.shape[1]] += second
    return total
