"""Where to look for the red clump: along the line on which dust moves it in the diagram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.extinction.bands import Bands
from loaders.extinction.configuration import REFERENCE

FloatArray = npt.NDArray[np.float64]

_STEP = 0.04
"""Extinctions that are tried lie so far apart, mag."""

_HALF_HEIGHT, _HALF_WIDTH = 0.25, 0.15
_BESIDE = 0.65
"""Boxes of comparison lie so much brighter and fainter, mag."""

_SLOPE = 0.7
"""Of the numbers of giants, exponential by magnitude (Nataf et al. 2013)."""


def most_likely_extinction(
    magnitude: FloatArray,
    colour: FloatArray,
    bands: Bands,
    pair: tuple[str, str],
    modulus: float,
    limits: tuple[float, float],
    largest: float,
) -> float | None:
    """Extinction in F146 (mag) at which most stars stand out where the clump would be.

    Stars in a box about the place are compared with those of the same colour in boxes that are brighter and
    fainter, in units of the noise of numbers.

    Parameters
    ----------
    magnitude, colour
        Shape (n,): F146, and the colour of ``pair``.
    bands
        Magnitudes of the clump, and the law.
    pair
        Elements of the colour.
    modulus
        Distance modulus, mag.
    limits
        Magnitudes between which the catalog has all stars.
    largest
        Extinction up to which is looked, mag.

    Returns
    -------
    float or None
        None where no place has stars that stand out by three times the noise.
    """
    tried = np.arange(0.0, largest, _STEP)
    place = bands.intrinsic[REFERENCE] + modulus + tried
    excess = [
        _excess(magnitude - m, colour - c, m - limits[0])
        if limits[0] - _HALF_HEIGHT < m < limits[1] - 2 * _HALF_HEIGHT
        else -np.inf
        for m, c in zip(place, bands.colour(pair, tried), strict=True)
    ]
    best = int(np.argmax(excess))
    return float(tried[best]) if excess[best] > 3.0 else None


def _excess(up: FloatArray, across: FloatArray, room: float) -> float:
    """By how many times its noise the number of stars about a place exceeds that beside it."""
    near = up[np.abs(across) < _HALF_WIDTH]
    here, fainter, brighter = (
        float(np.count_nonzero(np.abs(near - shift) < _HALF_HEIGHT)) for shift in (0.0, _BESIDE, -_BESIDE)
    )
    expected = fainter * np.exp(-_SLOPE * _BESIDE)
    if room > _BESIDE + _HALF_HEIGHT:
        expected = np.sqrt(fainter * brighter)
    return float((here - expected) / np.sqrt(here + expected + 1.0))


def extinction_of_colour(colour: FloatArray, bands: Bands, pair: tuple[str, str]) -> float:
    """Extinction in F146 (mag) by the colour of giants alone; -1 if they are bluer than without dust.

    It is that at which the clump is as blue as the bluest sixth of the stars: giants are much alike, and
    stars in front of the dust, if they are many, make that bluer than the clump can be.

    Parameters
    ----------
    colour
        Shape (n,), n > 0.
    bands, pair
        As in `most_likely_extinction`.
    """
    bluest = float(np.quantile(colour, 1 / 6))
    colours = bands.colour(pair, bands.grid[REFERENCE])
    return float(np.interp(bluest, colours, bands.grid[REFERENCE], left=-1.0))
