"""The edges of the band in spectra of stars: where they fall, beside where the geometry puts them.

The grism lets the first order through between two wavelengths that are known from the ground, so its edges
say where wavelengths fall without any order 0 to measure from.
"""

from __future__ import annotations

import numpy as np

from loaders.spectral_calibration.profile import spread
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_calibration.shift import UNKNOWN, Shift, fitted_shift
from loaders.spectral_extraction.sensitivity import Sensitivity
from loaders.spectral_geometry.polynomial import FloatArray

_WINDOW = 40
"""Rows about an edge that are looked at, each way."""
_REACH = 25.0
"""Largest shift that is looked for, rows."""
_KNOWN = 0.8
"""Share of the rows of the window on the detector that must be known."""
_FEWEST = 20
"""Rows of the window that must be known."""


def band_edges(curve: Sensitivity) -> tuple[float, float]:
    """Wavelengths (µm) at which a sensitivity rises and falls the most steeply."""
    slope = np.gradient(curve.value, curve.wavelength)
    middle = float(np.average(curve.wavelength, weights=curve.value))
    blue, red = curve.wavelength < middle, curve.wavelength > middle
    first = curve.wavelength[blue][int(np.argmax(slope[blue]))]
    return float(first), float(curve.wavelength[red][int(np.argmin(slope[red]))])


def edge_shift(rows: SourceRows, curve: Sensitivity, edge: float) -> Shift:
    """Shift of an edge of the band in the spectrum of a star.

    The spectrum is the sensitivity, spread by the image of the star, times a parabola of the row, which
    stands for its continuum.

    Parameters
    ----------
    rows
        The spectrum.
    curve
        Sensitivity of the order.
    edge
        Wavelength of the edge, µm.

    Returns
    -------
    `UNKNOWN` where the edge is not on the detector, or too much of it is masked.
    """
    steps = rows.steps
    if not steps.y.size or not steps.wavelength.min() < edge < steps.wavelength.max():
        return UNKNOWN
    middle = int(np.argmin(np.abs(steps.wavelength - edge)))
    part = slice(max(middle - _WINDOW, 0), middle + _WINDOW + 1)
    rate, error = rows.rate[part], rows.error[part]
    if np.isfinite(rate).sum() < max(_KNOWN * rate.size, _FEWEST):
        return UNKNOWN
    away = (steps.y[part] - steps.y[middle]) / _WINDOW

    def terms(shift: float) -> FloatArray:
        band = spread(steps, rows.profile, curve.at, shift)[part]
        return np.asarray(band[:, None] * away[:, None] ** np.arange(3))

    return fitted_shift(terms, rate, error, _REACH)
