"""Compiled loops of the sky projection: polynomials in the tangent plane, forth and back.

Coordinates (u, v) are pixels in units of half the detector with its margin, (s, t) those of the plane. The
arrays ``axes``, ``dual``, ``forward`` and ``backward`` are those of `loaders.wfi.projection.SkyProjection`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
Columns = tuple[FloatArray, FloatArray]

MAX_STEPS = 12
CONVERGED = 1e-13
"""Step of Newton's method, in units of half the detector, that ends it: below 1e-9 pixels."""

REACH = 2.0
"""Distance from the centre beyond which the polynomials mean nothing and a position is far outside."""


@compiled()
def _evaluate(c: FloatArray, u: float, v: float) -> tuple[float, float, float]:
    """Value and derivatives of a polynomial of total degree d by Horner's rule, rows first."""
    d = c.shape[0] - 1
    value, by_u, by_v = 0.0, 0.0, 0.0
    for i in range(d, -1, -1):
        row, slope = 0.0, 0.0
        for j in range(d - i, -1, -1):
            slope = slope * v + row
            row = row * v + c[i, j]
        by_u = by_u * u + value
        value = value * u + row
        by_v = by_v * u + slope
    return value, by_u, by_v


@compiled()
def _inside(u: float, v: float) -> bool:
    """Whether a point lies within the detector and its margin; rounding at the border does not count."""
    limit = 1.0 + 1e-9
    return abs(u) <= limit and abs(v) <= limit


@compiled()
def to_sky(u: FloatArray, v: FloatArray, axes: FloatArray, forward: FloatArray) -> Columns:
    """Right ascension and declination, degrees, of pixels; NaN beyond the margin."""
    ra, dec = np.full(u.size, np.nan), np.full(u.size, np.nan)
    for k in range(u.size):
        if not _inside(u[k], v[k]):
            continue
        s, _, _ = _evaluate(forward[0], u[k], v[k])
        t, _, _ = _evaluate(forward[1], u[k], v[k])
        x = axes[0, 0] + s * axes[1, 0] + t * axes[2, 0]
        y = axes[0, 1] + s * axes[1, 1] + t * axes[2, 1]
        z = axes[0, 2] + s * axes[1, 2] + t * axes[2, 2]
        turn = np.degrees(np.arctan2(y, x))
        ra[k] = turn if turn >= 0 else (turn + 360.0) % 360.0
        dec[k] = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return ra, dec


@compiled()
def _newton(s: float, t: float, forward: FloatArray, backward: FloatArray) -> tuple[float, float]:
    """Pixel coordinates of a point in the plane; NaN beyond the margin."""
    u, _, _ = _evaluate(backward[0], s, t)
    v, _, _ = _evaluate(backward[1], s, t)
    for _ in range(MAX_STEPS):
        # A start far outside comes from a point far outside: there the polynomials mean nothing.
        if not (abs(u) < REACH and abs(v) < REACH):
            return np.nan, np.nan
        a, a_u, a_v = _evaluate(forward[0], u, v)
        b, b_u, b_v = _evaluate(forward[1], u, v)
        determinant = a_u * b_v - a_v * b_u
        if determinant == 0.0:
            return np.nan, np.nan
        du = ((s - a) * b_v - (t - b) * a_v) / determinant
        dv = ((t - b) * a_u - (s - a) * b_u) / determinant
        u += du
        v += dv
        if abs(du) < CONVERGED and abs(dv) < CONVERGED:
            return (u, v) if _inside(u, v) else (np.nan, np.nan)
    return np.nan, np.nan


@compiled()
def to_plane(
    ra: FloatArray,
    dec: FloatArray,
    axes: FloatArray,
    dual: FloatArray,
    forward: FloatArray,
    backward: FloatArray,
) -> Columns:
    """Pixels of positions in degrees; NaN beyond the margin and far from the plane."""
    u, v = np.full(ra.size, np.nan), np.full(ra.size, np.nan)
    for k in range(ra.size):
        longitude, latitude = np.radians(ra[k]), np.radians(dec[k])
        x = np.cos(latitude) * np.cos(longitude)
        y = np.cos(latitude) * np.sin(longitude)
        z = np.sin(latitude)
        depth = x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]
        if not depth > 0.0:
            continue
        s = (x * dual[0, 0] + y * dual[0, 1] + z * dual[0, 2]) / depth
        t = (x * dual[1, 0] + y * dual[1, 1] + z * dual[1, 2]) / depth
        if abs(s) < REACH and abs(t) < REACH:
            u[k], v[k] = _newton(s, t, forward, backward)
    return u, v


@compiled()
def jacobian(u: FloatArray, v: FloatArray, axes: FloatArray, forward: FloatArray) -> FloatArray:
    """East and north (radians) per unit of the normalised pixel coordinates, shape (n, 2, 2)."""
    out = np.full((u.size, 2, 2), np.nan)
    for k in range(u.size):
        if not _inside(u[k], v[k]):
            continue
        s, s_u, s_v = _evaluate(forward[0], u[k], v[k])
        t, t_u, t_v = _evaluate(forward[1], u[k], v[k])
        n = axes[0] + s * axes[1] + t * axes[2]
        norm, across = np.sqrt(np.sum(n * n)), np.hypot(n[0], n[1])
        # Right ascension 0 at a pole, where arctan2(0, 0) is 0 too.
        cos_ra, sin_ra = (n[0] / across, n[1] / across) if across > 0 else (1.0, 0.0)
        cos_dec, sin_dec = across / norm, n[2] / norm
        for column in range(2):
            step = (s_u if column == 0 else s_v) * axes[1] + (t_u if column == 0 else t_v) * axes[2]
            along = cos_ra * step[0] + sin_ra * step[1]
            out[k, 0, column] = (cos_ra * step[1] - sin_ra * step[0]) / norm
            out[k, 1, column] = (cos_dec * step[2] - sin_dec * along) / norm
    return out
