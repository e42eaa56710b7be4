"""Inner loops: narrow lines on pixels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_REACH = 5.0
"""Dispersions to which a line is followed."""


class PixelGrid(NamedTuple):
    """Edges of pixels (Å) and the dispersion of a line in the logarithm of the wavelength; shapes (n,)."""

    low: FloatArray
    high: FloatArray
    sigma_ln: FloatArray


class LineList(NamedTuple):
    """Wavelengths of lines at rest (Å), their shares in their groups, and numbers of these; shapes (l,)."""

    wavelength: FloatArray
    ratio: FloatArray
    group: IntArray


class Segments(NamedTuple):
    """Lines on pixels, each at each of m redshifts.

    Parameters
    ----------
    first
        Shape (m, l), first pixel that a line reaches.
    at
        Shape (m l + 1,): line i of candidate c has the values from ``at[c l + i]`` to ``at[c l + i + 1]``.
    value
        Shape (t,), flux density by Å of a line of flux 1.
    """

    first: IntArray
    at: IntArray
    value: FloatArray


@compiled()
def _reach(pixels: PixelGrid, place: float) -> tuple[float, int, int]:
    """Dispersion of a line (Å), the first pixel that it reaches and the one after the last."""
    near = min(int(np.searchsorted(pixels.high, place)), pixels.low.size - 1)
    sigma = place * pixels.sigma_ln[near]
    first = np.searchsorted(pixels.high, place - _REACH * sigma)
    return sigma, first, max(first, np.searchsorted(pixels.low, place + _REACH * sigma))


@compiled()
def _mean(pixels: PixelGrid, p: int, place: float, sigma: float) -> float:
    """Mean of a Gaussian of area 1 over a pixel."""
    up = math.erf((pixels.high[p] - place) / (sigma * math.sqrt(2.0)))
    down = math.erf((pixels.low[p] - place) / (sigma * math.sqrt(2.0)))
    return float(0.5 * (up - down) / (pixels.high[p] - pixels.low[p]))


@compiled()
def line_segments(pixels: PixelGrid, scale: FloatArray, wavelength: FloatArray) -> Segments:
    """Lines at rest (l,) as seen at 1 + z (m,), on pixels."""
    first = np.zeros((scale.size, wavelength.size), np.int64)
    at = np.zeros(scale.size * wavelength.size + 1, np.int64)
    for c in range(scale.size):
        for i in range(wavelength.size):
            _, first[c, i], end = _reach(pixels, wavelength[i] * scale[c])
            k = c * wavelength.size + i
            at[k + 1] = at[k] + end - first[c, i]
    value = np.empty(at[-1])
    for c in range(scale.size):
        for i in range(wavelength.size):
            place, k = wavelength[i] * scale[c], c * wavelength.size + i
            sigma = _reach(pixels, place)[0]
            for d in range(at[k + 1] - at[k]):
                value[at[k] + d] = _mean(pixels, first[c, i] + d, place, sigma)
    return Segments(first, at, value)


@compiled()
def line_profiles(pixels: PixelGrid, scale: float, lines: LineList, n_group: int) -> FloatArray:
    """Groups of lines on pixels, as seen at 1 + z, each line as strong as its share says.

    Returns
    -------
    numpy.ndarray
        Shape (n_group, n); flux density by Å.
    """
    out = np.zeros((n_group, pixels.low.size))
    for i in range(lines.wavelength.size):
        place = lines.wavelength[i] * scale
        sigma, first, end = _reach(pixels, place)
        for p in range(first, end):
            out[lines.group[i], p] += lines.ratio[i] * _mean(pixels, p, place, sigma)
    return out
