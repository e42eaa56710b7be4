"""Emission lines of galaxies of known redshift: where they fall, beside where the geometry puts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from loaders.spectral_calibration.profile import spread
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_calibration.shift import Shift, fitted_shift
from loaders.spectral_geometry.polynomial import FloatArray

_LINES = (
    (0.656461, ((0.656461, 1.0),), ((0.654986, 1.0), (0.658527, 3.05))),
    (0.500824, ((0.500824, 1.0),), ((0.496030, 1.0),)),
)
"""Wavelengths in vacuum (µm) of H-alpha with [N II], and of the two lines of [O III].

Each is a group: its name, and its parts, whose heights are free, of lines with fixed ratios.
"""
_WIDTH = 0.0006
"""Standard deviation of lines at rest, as a share of their wavelength (180 km/s)."""
_LEAST_WIDTH = 0.4
"""The same in rows, at least, so that the steps of spectra resolve them."""
_WINDOW = 40
"""Rows about a line that are looked at, each way."""
_REACH = 15.0
"""Largest shift that is looked for, rows."""
_WORST = 0.5
"""Largest error of a shift (rows) with which it counts."""


def line_shifts(rows: SourceRows, z: float) -> Iterator[tuple[float, Shift]]:
    """Shifts of the lines of a galaxy, by their wavelengths (µm) as observed.

    Parameters
    ----------
    rows
        The spectrum.
    z
        Redshift, from elsewhere.

    Yields
    ------
    Those with an error of at most half a row, of groups of lines that are on the detector.
    """
    steps = rows.steps
    for rest, *parts in _LINES:
        observed = rest * (1 + z)
        if not steps.y.size or not steps.wavelength.min() < observed < steps.wavelength.max():
            continue
        middle = int(np.argmin(np.abs(steps.wavelength - observed)))
        if min(middle, steps.y.size - 1 - middle) < _WINDOW:
            continue
        part = slice(middle - _WINDOW, middle + _WINDOW + 1)
        coarse = _LEAST_WIDTH * float(steps.width[middle])
        away = ((steps.y[part] - steps.y[middle]) / _WINDOW)[:, None] ** np.arange(3)

        def terms(
            shift: float,
            parts: tuple[tuple[tuple[float, float], ...], ...] = tuple(parts),
            part: slice = part,
            away: FloatArray = away,
            coarse: float = coarse,
        ) -> FloatArray:
            lines = [spread(steps, rows.profile, _light(one, z, coarse), shift)[part] for one in parts]
            return np.column_stack([away, *lines])

        shift = fitted_shift(terms, rows.rate[part], rows.error[part], _REACH)
        if shift.error < _WORST:
            yield observed, shift


def _light(
    lines: tuple[tuple[float, float], ...], z: float, least: float
) -> Callable[[FloatArray], FloatArray]:
    """Density by wavelength (µm) of lines: wavelengths at rest, and their shares."""

    def density(wavelength: FloatArray) -> FloatArray:
        """All lines together."""
        total = np.zeros(wavelength.shape)
        for rest, share in lines:
            centre = rest * (1 + z)
            sigma = max(_WIDTH * centre, least)
            total += share / sigma * np.exp(-0.5 * ((wavelength - centre) / sigma) ** 2)
        return total

    return density
