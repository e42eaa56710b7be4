"""A point source behind a single lens: magnification, and fits whose sums are made in one pass.

The magnification is ``A = (u² + 2) / (u √(u² + 4))`` with ``u² = u_0² + ((t - t_0) / t_E)²`` (Paczyński 1986,
ApJ 304, 1), the flux ``source · A + blend`` with two fluxes for each optical element. Fits go by (t_0, ln
t_eff, ln u_0) with ``t_eff = u_0 t_E``, which are less degenerate than t_E itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from loaders.stored_curve.band import Band, FloatArray

_COLUMNS = 6
"""Columns of the sums: A, 1, the derivatives of A by the three parameters, and the flux."""

_ITERATIONS = 60
_CONVERGED = 1e-4
"""Fall of chi-square below which a fit has converged."""

_DARK = 0.1
"""How far below zero a blend may lie, as a share of the mean flux: what a wrong sky makes of it."""

_LOG_LIMITS = np.array([[-np.inf, np.log(1e-4), np.log(1e-4)], [np.inf, np.log(1e4), np.log(5.0)]])
"""Limits of (t_0, ln t_eff, ln u_0)."""


@dataclass(frozen=True)
class PointLensFit:
    """A fit of a point source behind a single lens.

    Parameters
    ----------
    t_0, u_0, t_E
        BJD (TDB); Einstein radii; days.
    source_flux, blend_flux
        Shape (n_band,), in the unit of the fluxes.
    chi2
        Chi-square of all points.
    n_point
        Number of points.
    covariance
        Shape (3, 3), of (t_0, u_0, t_E), the fluxes being fitted with them; NaN if it is singular.
    converged
        False if the last step still lowered chi-square.
    """

    t_0: float
    u_0: float
    t_E: float
    source_flux: FloatArray
    blend_flux: FloatArray
    chi2: float
    n_point: int
    covariance: FloatArray
    converged: bool


@dataclass(frozen=True)
class _State:
    """Parameters, and what the points say of them; dark are elements whose blend is at its limit."""

    parameter: FloatArray
    sums: FloatArray
    flux: FloatArray
    is_dark: npt.NDArray[np.bool_]
    chi2: float


def magnification(u: FloatArray) -> FloatArray:
    """Magnification at separations u in Einstein radii, any shape."""
    u2 = np.asarray(u) ** 2
    return np.asarray((u2 + 2) / np.sqrt(u2 * (u2 + 4)))


def fit_point_lens(bands: Sequence[Band], t_0: float, t_eff: float, u_0: float) -> PointLensFit:
    """Fit t_0, u_0, t_E and the fluxes, from a first guess, by Levenberg's and Marquardt's method.

    Where the mean flux of an element is above zero, its blend is not below -0.1 of it: wide and shallow
    events would else become the tip of one that is far brighter, and its blend as far below zero.

    Parameters
    ----------
    bands
        The light curves; elements with fewer than three points are left out.
    t_0, t_eff, u_0
        Where to begin: BJD, days, Einstein radii.

    Returns
    -------
    PointLensFit

    Raises
    ------
    ValueError
        If no element has three points.
    """
    bands = [band for band in bands if len(band) > 2]
    if not bands:
        raise ValueError("a lens needs at least three points in an optical element")
    points = _Points.of(bands)
    state = points.state(np.array([t_0, np.log(t_eff), np.log(u_0)]))
    damping, converged = 1e-3, False
    for _ in range(_ITERATIONS):
        step = _step(state, damping)
        trial = points.state(np.clip(state.parameter + step, *_LOG_LIMITS))
        if trial.chi2 < state.chi2:
            converged = state.chi2 - trial.chi2 < _CONVERGED
            state, damping = trial, damping / 5
        else:
            damping *= 4
            converged = damping > 1e8
        if converged:
            break
    return _result(points, state, converged)


@dataclass(frozen=True)
class _Points:
    """All points in a row, fluxes less the mean of their element, and where each element begins."""

    time: FloatArray
    flux: FloatArray
    weight: FloatArray
    start: FloatArray
    mean: FloatArray
    least: FloatArray
    total: float

    @classmethod
    def of(cls, bands: Sequence[Band]) -> _Points:
        """The points of elements, each with three at least."""
        weights = [1 / band.error**2 for band in bands]
        mean = np.array([np.average(b.flux, weights=w) for b, w in zip(bands, weights, strict=True)])
        flux = np.concatenate([band.flux - m for band, m in zip(bands, mean, strict=True)])
        weight = np.concatenate(weights)
        start = np.cumsum([0] + [len(band) for band in bands])
        least = np.where(mean > 0, -(1 + _DARK) * mean, -np.inf)
        time = np.concatenate([band.time for band in bands])
        return cls(time, flux, weight, start, mean, least, float(weight @ flux**2))

    def state(self, parameter: FloatArray) -> _State:
        """Best fluxes at some parameters, and their chi-square."""
        sums = _sums(self.time, self.flux, self.weight, self.start, parameter)
        flux = np.zeros((sums.shape[0], 2))
        chi2 = self.total
        for k, one in enumerate(sums):
            flux[k] = _solve_fluxes(one, float(self.least[k]))
            chi2 -= 2 * flux[k] @ one[:2, 5] - flux[k] @ one[:2, :2] @ flux[k]
        return _State(parameter, sums, flux, flux[:, 1] <= self.least, float(chi2))


def _solve_fluxes(sums: FloatArray, least: float) -> FloatArray:
    """Source and blend of an element; a source is not below zero, a blend not below the least."""
    (aa, a), one = sums[0, :2], sums[1, 1]
    det = aa * one - a * a
    if det > 1e-12 * aa * one:
        source = (sums[0, 5] * one - a * sums[1, 5]) / det
        blend = (sums[1, 5] - a * source) / one
        if source > 0 and blend < least:
            return np.array([max((sums[0, 5] - a * least) / aa, 0.0), least])
        if source > 0:
            return np.array([source, blend])
    return np.array([0.0, sums[1, 5] / one])


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sums(
    time: FloatArray, flux: FloatArray, weight: FloatArray, start: FloatArray, parameter: FloatArray
) -> FloatArray:
    """Weighted sums of products of the columns of each element, shape (n_band, 6, 6)."""
    t_0, u_0 = parameter[0], np.exp(parameter[2])
    t_e = np.exp(parameter[1]) / u_0
    out = np.zeros((start.size - 1, _COLUMNS, _COLUMNS))
    for band in range(start.size - 1):
        first, last = start[band], start[band + 1]
        _add_sums(time[first:last], flux[first:last], weight[first:last], (t_0, t_e, u_0 * u_0), out[band])
    return out


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
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
    for i in range(_COLUMNS):
        for j in range(i, _COLUMNS):
            total[i, j] = total[j, i] = rows[n]
            n += 1


def _normal(state: _State) -> tuple[FloatArray, FloatArray]:
    """Normal matrix and right side of the three parameters, the fluxes being eliminated."""
    matrix, right = np.zeros((3, 3)), np.zeros(3)
    for one, (source, blend), is_dark in zip(state.sums, state.flux, state.is_dark, strict=True):
        if source <= 0:
            continue
        # A blend at its limit does not move.
        free = slice(1) if is_dark else slice(2)
        left = one[2:5, 5] - source * one[2:5, 0] - blend * one[2:5, 1]
        within, across = one[free, free], source * one[2:5, free]
        # The residuals are orthogonal to what is free, so that only the matrix changes.
        matrix += source**2 * one[2:5, 2:5] - across @ np.linalg.solve(within, across.T)
        right += source * left
    return matrix, right


def _step(state: _State, damping: float) -> FloatArray:
    """A step of the parameters, damped."""
    matrix, right = _normal(state)
    diagonal = np.maximum(np.diag(matrix), 1e-12 * max(float(np.trace(matrix)), 1e-300))
    step = np.linalg.solve(matrix + damping * np.diag(diagonal) + 1e-300 * np.eye(3), right)
    step[1:] = np.clip(step[1:], -1.0, 1.0)
    return np.asarray(step)


def _result(points: _Points, state: _State, converged: bool) -> PointLensFit:
    """The fit in its usual parameters."""
    t_0, u_0 = float(state.parameter[0]), float(np.exp(state.parameter[2]))
    t_e = float(np.exp(state.parameter[1])) / u_0
    matrix, _ = _normal(state)
    # (t_0, u_0, t_E) by (t_0, ln t_eff, ln u_0).
    jacobian = np.array([[1.0, 0, 0], [0, 0, u_0], [0, t_e, -t_e]])
    try:
        covariance = jacobian @ np.linalg.inv(matrix) @ jacobian.T
    except np.linalg.LinAlgError:
        covariance = np.full((3, 3), np.nan)
    return PointLensFit(
        t_0,
        u_0,
        t_e,
        state.flux[:, 0],
        state.flux[:, 1] + points.mean,
        state.chi2,
        points.time.size,
        covariance,
        converged,
    )
