"""How many lenses there are of each mass: stars, brown dwarfs, and what is left of heavier stars.

Stars are born by Kroupa (2001, MNRAS 322, 231); what was born above 1 solar mass has become a remnant, with
the masses of Gould (2000, ApJ 535, 928): white dwarfs, neutron stars and black holes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_EDGES = (0.01, 0.08, 0.5, 1.0)
_SLOPES = (0.3, 1.3, 2.3)

#: Born from one mass to the other, and mean and width of the masses that are left, solar masses.
_REMNANTS = (((1.0, 8.0), 0.60, 0.16), ((8.0, 40.0), 1.35, 0.04), ((40.0, 100.0), 5.0, 1.0))


def number_density(mass: FloatArray) -> FloatArray:
    """Lenses per solar mass, all of them being one.

    Parameters
    ----------
    mass
        Solar masses, any shape.

    Returns
    -------
    array
        Shape of ``mass``; 0 below 0.01.
    """
    return np.asarray(_unscaled(np.asarray(mass, dtype=np.float64)) / _TOTAL)


def _unscaled(mass: FloatArray) -> FloatArray:
    """Lenses per solar mass, times a constant."""
    out = np.zeros(mass.shape)
    for low, high, slope, factor in _pieces():
        out += np.where((mass >= low) & (mass < high), factor * np.maximum(mass, low) ** -slope, 0.0)
    for (low, high), mean, width in _REMNANTS:
        share = _pieces()[-1][3] * _integral(low, high, _SLOPES[-1])
        out += share * np.exp(-0.5 * ((mass - mean) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
    return np.where(mass >= _EDGES[0], out, 0.0)


def _pieces() -> list[tuple[float, float, float, float]]:
    """Power laws: from, to, slope, and the factor that makes them meet."""
    pieces, factor = [], 1.0
    for k, (low, high) in enumerate(pairwise(_EDGES)):
        if k:
            factor *= low ** (_SLOPES[k] - _SLOPES[k - 1])
        pieces.append((low, high, _SLOPES[k], factor))
    return pieces


def _integral(low: float, high: float, slope: float) -> float:
    """Integral of mass to the power of -slope."""
    return float((high ** (1 - slope) - low ** (1 - slope)) / (1 - slope))


def _total() -> float:
    """All lenses."""
    stars = sum(factor * _integral(low, high, slope) for low, high, slope, factor in _pieces())
    left = sum(_pieces()[-1][3] * _integral(*born, _SLOPES[-1]) for born, _, _ in _REMNANTS)
    return stars + left


_TOTAL = _total()
