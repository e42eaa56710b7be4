"""Sums over binned light curves, with bins that grow with the distance from the event."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loaders.stored_curve.band import FloatArray
from roman_db.compiled import compiled

IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

STEP = 6
"""Bins a time scale."""

RINGS = (1, 4, 16)
"""Lengths of bins in the shortest ones: within 2 time scales of t0, then out to 8 and to 32."""

_GROWTH = 4
"""Bins of a ring in one of the next; those of a ring that are taken begin and end with bins of the next."""

_HALF = 12
"""Bins of a ring on either side of the bin of the next ring in which t0 is."""

_LENGTH = 32
"""Bins of a ring that are added up: 28, and some that count nothing for the sake of whole vectors."""

PAD = _HALF + _LENGTH
"""Empty bins before and after those that hold points."""


class Tables(NamedTuple):
    """The two curves and their squares, at the bins of each ring.

    Parameters
    ----------
    value
        Shape (n_ring, 64, 4, 32): for each ring and place of t0 within a bin of the next ring
        ``A_1, A_1², A_2, A_2²`` at the bins, 0 where an inner ring has them.
    """

    value: Float32Array

    @staticmethod
    @cache
    def made() -> Tables:
        """Tables that serve all time scales."""
        value = np.zeros((len(RINGS), _GROWTH * RINGS[-1], 4, _LENGTH))
        bins = np.arange(_LENGTH) - _HALF
        for r, ring in enumerate(RINGS):
            for phase in range(_GROWTH * ring):
                # Means over a bin, not middles: three points of Gauss-Legendre.
                for node, weight in zip(*np.polynomial.legendre.leggauss(3), strict=True):
                    at = bins * ring + (ring - 1) / 2 - phase + node * ring / 2
                    a_1, a_2 = magnification(at / STEP)
                    value[r, phase] += weight / 2 * np.stack([a_1, a_1**2, a_2, a_2**2])
                value[r, phase][:, bins >= _GROWTH + _HALF] = 0
                if r:
                    within = phase // ring
                    inner = np.arange(-_HALF // _GROWTH, _HALF // _GROWTH + 1) + within
                    value[r, phase][:, np.isin(bins, inner)] = 0
        return Tables(value.astype(np.float32))


def magnification(tau: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The curves A_1 and A_2 - 1 at times ``tau = (t - t0) / teff``, shape (n,) each.

    The one taken off makes the curve vanish far away; the constant flux takes it up.
    """
    q = 1 + tau**2
    return 1 / np.sqrt(q), 1 / np.sqrt(1 - (q / 2 + 1) ** -2) - 1


@compiled()
def bin_points(
    time: FloatArray, weight: FloatArray, flux: FloatArray, begin: float, width: float, count: int
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Sums of weights and of weighted fluxes in the bins of each ring, shape (2, n) each, with `PAD`.

    Parameters
    ----------
    time, weight, flux
        Shape (n,): the light curve.
    begin, width
        Begin of the first bin of the innermost ring, and length of these bins, days.
    count
        Number of these bins.
    """
    fine = np.zeros((2, count + 2 * PAD), dtype=np.float32)
    for k in range(time.size):
        i = int((time[k] - begin) / width) + PAD
        fine[0, i] += weight[k]
        fine[1, i] += weight[k] * flux[k]
    middle = _merged(fine)
    return fine, middle, _merged(middle)


@compiled()
def _merged(bins: Float32Array) -> Float32Array:
    """Bins of the next ring."""
    count = bins.shape[1] - 2 * PAD
    out = np.zeros((2, -(-count // _GROWTH) + 2 * PAD), dtype=np.float32)
    for k in range(count):
        out[0, k // _GROWTH + PAD] += bins[0, k + PAD]
        out[1, k // _GROWTH + PAD] += bins[1, k + PAD]
    return out


@compiled()
def scan(
    places: IntArray,
    bins: tuple[Float32Array, Float32Array, Float32Array],
    tables: Tables,
    total: float,
    least: float,
    gain: FloatArray,
) -> None:
    """Add the fall of chi-square of one optical element at each place, for both curves.

    Parameters
    ----------
    places
        Shape (n,): bins of the innermost ring in whose middle t0 is.
    bins
        Sums of each ring.
    tables
        The curves.
    total
        Sum of all weights.
    least
        Only places at which other elements have let chi-square fall by so much already.
    gain
        Shape (2, n), updated.
    """
    sums = np.empty(6, dtype=np.float32)
    for k in range(places.size):
        if max(gain[0, k], gain[1, k]) < least:
            continue
        _add(places[k], bins, tables.value, sums)
        for j in range(2):
            asked = np.float64(sums[3 * j])
            information = np.float64(sums[3 * j + 2]) - np.float64(sums[3 * j + 1]) ** 2 / total
            if asked > 0 and information > 1e-7 * total:
                gain[j, k] += asked**2 / information


@compiled(fastmath=True)
def _add(
    place: int,
    bins: tuple[Float32Array, Float32Array, Float32Array],
    value: Float32Array,
    sums: Float32Array,
) -> None:
    """Sums around a place: ``Σ w f A, Σ w A, Σ w A²`` for either curve."""
    p, q, r = place % _GROWTH, place % (_GROWTH * RINGS[1]), place % (_GROWTH * RINGS[2])
    i, j, k = (
        (place - p) + PAD - _HALF,
        (place - q) // RINGS[1] + PAD - _HALF,
        (place - r) // RINGS[2] + PAD - _HALF,
    )
    u, v, w = bins[0][:, i : i + _LENGTH], bins[1][:, j : j + _LENGTH], bins[2][:, k : k + _LENGTH]
    x, y, z = value[0, p], value[1, q], value[2, r]
    a = b = c = d = e = f = np.float32(0.0)
    for n in range(_LENGTH):
        a += u[1, n] * x[0, n] + v[1, n] * y[0, n] + w[1, n] * z[0, n]
        b += u[0, n] * x[0, n] + v[0, n] * y[0, n] + w[0, n] * z[0, n]
        c += u[0, n] * x[1, n] + v[0, n] * y[1, n] + w[0, n] * z[1, n]
        d += u[1, n] * x[2, n] + v[1, n] * y[2, n] + w[1, n] * z[2, n]
        e += u[0, n] * x[2, n] + v[0, n] * y[2, n] + w[0, n] * z[2, n]
        f += u[0, n] * x[3, n] + v[0, n] * y[3, n] + w[0, n] * z[3, n]
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5] = a, b, c, d, e, f
