"""Which events go into an image together, and how much light they bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.light_curve_simulation.lenses import USUAL_LIMBS, Parameters
from loaders.light_curve_simulation.magnify import magnification

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

APART = 2.0
"""Arcseconds within which no two events shine in one image, as real ones do not."""


def rounds_of(ra: FloatArray, dec: FloatArray, apart: float = APART) -> IntArray:
    """Number the rounds in which events go into an image, so that those of one round are apart.

    Parameters
    ----------
    ra, dec
        Shape (n,): places, deg ICRS, within a few degrees of each other.
    apart
        Arcsec.

    Returns
    -------
    ndarray
        Shape (n,), from 0; each event has the first round that none of its earlier neighbours has.
    """
    out = np.zeros(ra.size, dtype=np.int64)
    if ra.size < 2:
        return out
    near: list[set[int]] = [set() for _ in range(ra.size)]
    for first, second in _pairs(ra, dec, apart):
        near[max(first, second)].add(min(first, second))
    for number, earlier in enumerate(near):
        taken = {int(out[one]) for one in earlier}
        out[number] = next(k for k in range(len(taken) + 1) if k not in taken)
    return out


def _pairs(ra: FloatArray, dec: FloatArray, apart: float) -> list[tuple[int, int]]:
    """Pairs of events that are closer, by the chord between unit vectors."""
    a, d = np.radians(ra), np.radians(dec)
    place = np.column_stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    chord = 2 * np.sin(np.radians(apart / 3600) / 2)
    return [(int(i), int(j)) for i, j in cKDTree(place).query_pairs(chord)]


def event_light(
    events: Sequence[Parameters],
    source_flux: FloatArray,
    place: tuple[FloatArray, FloatArray],
    bjd: FloatArray,
    element: str,
) -> FloatArray:
    """Light on top of the baselines of stars: ``f (A - 1)``, f being the flux of the source.

    Parameters
    ----------
    events
        n of them, as `loaders.light_curve_simulation.lenses.draw_event` gives them.
    source_flux
        Shape (n,): flux of the source without a lens, nJy.
    place
        Right ascensions and declinations, shape (n,) each, deg ICRS.
    bjd
        Shape (m,): BJD (TDB).
    element
        Optical element, in which limbs are as dark as usual.

    Returns
    -------
    ndarray
        Shape (n, m), nJy, 0 or more.
    """
    out = np.zeros((len(events), bjd.size))
    for k, (event, ra, dec) in enumerate(zip(events, *place, strict=True)):
        rise = magnification(event | USUAL_LIMBS, bjd, float(ra), float(dec), element) - 1
        out[k] = source_flux[k] * np.maximum(rise, 0.0)
    return out
