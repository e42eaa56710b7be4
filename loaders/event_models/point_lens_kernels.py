"""Sums over the points of a light curve for a point source behind a single lens, and the descent by them.

All of a fit is compiled: a step costs the one pass over the points that its sums need, and hardly more.
Parameters are (t_0, ln t_eff, ln u_0) with ``t_eff = u_0 t_E``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from loaders.stored_curve.band import FloatArray
from roman_db.compiled import compiled

IntArray = npt.NDArray[np.int64]

COLUMNS = 6
"""Columns of the sums: A, 1, the derivatives of A by the three parameters, and the flux."""

_ITERATIONS = 60
_CONVERGED = 1e-4
"""Fall of chi-square below which a fit has converged."""


class Points(NamedTuple):
    """All points in a row, fluxes less the mean of their element, and where each element begins.

    Parameters
    ----------
    time, flux, weight
        Shape (n,).
    start
        Shape (n_band + 1,): the first point of each element, and the end of the last one.
    least
        Shape (n_band,): the least blend.
    total
        Chi-square without a source.
    """

    time: FloatArray
    flux: FloatArray
    weight: FloatArray
    start: IntArray
    least: FloatArray
    total: float


class Descent(NamedTuple):
    """Where a fit ended.

    Parameters
    ----------
    parameter
        Shape (3,).
    sums
        Shape (n_band, 6, 6): `sums_of` the points there.
    flux
        Shape (n_band, 2): source and blend.
    chi2
        Of all points.
    converged
        False if the last step still lowered chi-square.
    """

    parameter: FloatArray
    sums: FloatArray
    flux: FloatArray
    chi2: float
    converged: bool


@compiled(error_model="numpy")
def descend(points: Points, begin: FloatArray, low: FloatArray, high: FloatArray) -> Descent:
    """Fit by Levenberg's and Marquardt's method.

    Parameters
    ----------
    points
        The light curves.
    begin, low, high
        Shape (3,): where to begin, and the limits.
    """
    best = begin.copy()
    sums, flux, chi2 = _state(points, best)
    damping, converged = 1e-3, False
    trial = np.empty(3)
    for _ in range(_ITERATIONS):
        step = _step(sums, flux, points.least, damping)
        for k in range(3):
            trial[k] = min(max(best[k] + step[k], low[k]), high[k])
        sums_there, flux_there, chi2_there = _state(points, trial)
        if chi2_there < chi2:
            converged = chi2 - chi2_there < _CONVERGED
            best, trial = trial, best
            sums, flux, chi2 = sums_there, flux_there, chi2_there
            damping /= 5
        else:
            damping *= 4
            converged = damping > 1e8
        if converged:
            break
    return Descent(best, sums, flux, chi2, converged)


@compiled(error_model="numpy")
def normal(sums: FloatArray, flux: FloatArray, least: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Normal matrix (3, 3) and right side (3,) of the parameters, the fluxes being eliminated.

    A blend at its limit does not move. The residuals are orthogonal to what is free, so that only the matrix
    changes by the elimination.
    """
    matrix, right = np.zeros((3, 3)), np.zeros(3)
    for band in range(sums.shape[0]):
        one, (source, blend) = sums[band], flux[band]
        if source <= 0:
            continue
        is_dark = blend <= least[band]
        aa, a, n = one[0, 0], one[0, 1], one[1, 1]
        det = aa * n - a * a
        for i in range(3):
            x, y = one[2 + i, 0], one[2 + i, 1]
            # What the free fluxes take of the change by this parameter.
            of_source = x / aa if is_dark else (n * x - a * y) / det
            of_blend = 0.0 if is_dark else (aa * y - a * x) / det
            for j in range(3):
                taken = of_source * one[2 + j, 0] + of_blend * one[2 + j, 1]
                matrix[i, j] += source**2 * (one[2 + i, 2 + j] - taken)
            right[i] += source * (one[2 + i, 5] - source * x - blend * y)
    return matrix, right


@compiled(error_model="numpy")
def _state(points: Points, parameter: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Sums, best fluxes and chi-square at some parameters."""
    sums = sums_of(points.time, points.flux, points.weight, points.start, parameter)
    flux = np.zeros((sums.shape[0], 2))
    chi2 = points.total
    for k in range(sums.shape[0]):
        one = sums[k]
        source, blend = solve_fluxes(one, points.least[k])
        flux[k, 0], flux[k, 1] = source, blend
        taken = source * (one[0, 0] * source + 2 * one[0, 1] * blend) + blend**2 * one[1, 1]
        chi2 -= 2 * (source * one[0, 5] + blend * one[1, 5]) - taken
    return sums, flux, chi2


@compiled(error_model="numpy")
def solve_fluxes(sums: FloatArray, least: float) -> tuple[float, float]:
    """Source and blend of an element; a source is not below zero, a blend not below the least."""
    aa, a, one = sums[0, 0], sums[0, 1], sums[1, 1]
    det = aa * one - a * a
    if det > 1e-12 * aa * one:
        source = (sums[0, 5] * one - a * sums[1, 5]) / det
        blend = (sums[1, 5] - a * source) / one
        if source > 0 and blend < least:
            return max((sums[0, 5] - a * least) / aa, 0.0), least
        if source > 0:
            return source, blend
    return 0.0, sums[1, 5] / one


@compiled(error_model="numpy")
def _step(sums: FloatArray, flux: FloatArray, least: FloatArray, damping: float) -> FloatArray:
    """A step of the parameters, damped; those in logarithms by 1 at most."""
    matrix, right = normal(sums, flux, least)
    floor = 1e-12 * max(matrix[0, 0] + matrix[1, 1] + matrix[2, 2], 1e-300)
    for k in range(3):
        matrix[k, k] += damping * max(matrix[k, k], floor) + 1e-300
    step: FloatArray = _solved(matrix, right)
    for k in range(1, 3):
        step[k] = min(max(step[k], -1.0), 1.0)
    return step


@compiled(error_model="numpy")
def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution of three equations by elimination with pivots; what is not determined does not move."""
    m = np.empty((3, 4))
    for i in range(3):
        m[i, 0], m[i, 1], m[i, 2], m[i, 3] = matrix[i, 0], matrix[i, 1], matrix[i, 2], right[i]
    out = np.zeros(3)
    for k in range(3):
        pivot = k + int(np.argmax(np.abs(m[k:, k])))
        if m[pivot, k] == 0.0:
            return out
        for j in range(4):
            m[k, j], m[pivot, j] = m[pivot, j], m[k, j]
        for i in range(k + 1, 3):
            share = m[i, k] / m[k, k]
            for j in range(4):
                m[i, j] -= share * m[k, j]
    for k in range(2, -1, -1):
        out[k] = (m[k, 3] - m[k, k + 1 : 3] @ out[k + 1 :]) / m[k, k] if k < 2 else m[k, 3] / m[k, k]
    return out


@compiled(fastmath=True)
def sums_of(
    time: FloatArray, flux: FloatArray, weight: FloatArray, start: IntArray, parameter: FloatArray
) -> FloatArray:
    """Weighted sums of products of the columns of each element, shape (n_band, 6, 6)."""
    t_0, u_0 = parameter[0], np.exp(parameter[2])
    t_e = np.exp(parameter[1]) / u_0
    out = np.zeros((start.size - 1, COLUMNS, COLUMNS))
    for band in range(start.size - 1):
        first, last = start[band], start[band + 1]
        _add_sums(time[first:last], flux[first:last], weight[first:last], (t_0, t_e, u_0 * u_0), out[band])
    return out


@compiled(fastmath=True, error_model="numpy")
def _add_sums(
    time: FloatArray,
    flux: FloatArray,
    weight: FloatArray,
    lens: tuple[float, float, float],
    total: FloatArray,
) -> None:
    """Sums of one element: numbers of their own, so that several points are added at once."""
    t_0, t_e, u_02 = lens
    aa = a = at = aw = au = af = one = t = w = u = f = 0.0
    tt = tw = tu = tf = ww = wu = wf = uu = uf = ff = 0.0
    for k in range(time.size):
        tau = (time[k] - t_0) / t_e
        tau2 = tau * tau
        u2 = u_02 + tau2
        u4 = u2 + 4.0
        root = np.sqrt(u2 * u4)
        slope = -8.0 / (u2 * u4 * root)
        # A, and its derivatives by t_0, ln t_eff and ln u_0.
        lit, by_t, by_w, by_u = (u2 + 2.0) / root, -slope * tau / t_e, -slope * tau2, slope * u2
        x, v = flux[k], weight[k]
        v_lit, v_t, v_w, v_u, v_x = v * lit, v * by_t, v * by_w, v * by_u, v * x
        aa += v_lit * lit
        a += v_lit
        at += v_lit * by_t
        aw += v_lit * by_w
        au += v_lit * by_u
        af += v_lit * x
        one += v
        t += v_t
        w += v_w
        u += v_u
        f += v_x
        tt += v_t * by_t
        tw += v_t * by_w
        tu += v_t * by_u
        tf += v_t * x
        ww += v_w * by_w
        wu += v_w * by_u
        wf += v_w * x
        uu += v_u * by_u
        uf += v_u * x
        ff += v_x * x
    rows = (aa, a, at, aw, au, af, one, t, w, u, f, tt, tw, tu, tf, ww, wu, wf, uu, uf, ff)
    n = 0
    for i in range(COLUMNS):
        for j in range(i, COLUMNS):
            total[i, j] = total[j, i] = rows[n]
            n += 1
