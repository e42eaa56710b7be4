"""How the motion of the observer about the Sun bends the path of a source: annual parallax, seen from L2.

The path is straight in a frame that moves with a reference body as it does at the time ``t_0_par`` (Gould
2004, ApJ 606, 319). What differs from it, projected on the sky towards north and east in au, is to be taken
times the microlensing parallax:

    τ = (t - t_0) / t_E + pi_E_N · north + pi_E_E · east
    β = u_0            - pi_E_E · north + pi_E_N · east

With the Earth as reference the parameters are those of MulensModel with ``t_0_par`` and a satellite; with the
observer, t_0 and u_0 are what the observer sees, and nearly free of the parallax.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import erfa
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

L2_OVER_SUN = 0.010_078
"""Distance of L2 beyond the Earth over that of the Sun: the root of Lagrange's quintic for the mass of Earth
and Moon (Murray & Dermott 1999, Solar System Dynamics, section 3.6). Roman's orbit about it, of 0.005 au, is
left out."""

_CHUNK = 32
"""Days that are computed together, and kept; between whole days cubics are good to 1e-9 au."""


def offsets(
    time: npt.ArrayLike,
    ra: float,
    dec: float,
    t_0_par: float,
    reference: Literal["earth", "observer"] = "earth",
) -> tuple[FloatArray, FloatArray]:
    """What an observer at L2 sees of his leaving a straight line.

    Parameters
    ----------
    time
        Shape (n,): BJD (TDB), days, finite.
    ra, dec
        Direction of the source, degrees ICRS.
    t_0_par
        Time of reference, BJD (TDB).
    reference
        Whose place and velocity at that time make the straight line: ``earth`` (as MulensModel has it: the
        geocentric frame) or ``observer``.

    Returns
    -------
    north, east
        Shape (n,), au: displacement of the Sun, seen by the observer, from that line.

    Raises
    ------
    ValueError
        If a time is not finite, or the reference has another name.
    """
    moments = np.asarray(time, dtype=np.float64)
    if not np.all(np.isfinite(moments)) or not np.isfinite(t_0_par):
        raise ValueError("times must be finite, and so must t_0_par")
    if reference not in ("earth", "observer"):
        raise ValueError(f"reference must be earth or observer, got {reference!r}")
    place, velocity = barycentric(np.array([t_0_par]), L2_OVER_SUN if reference == "observer" else 0.0)
    line = place[0] + np.multiply.outer(moments - t_0_par, velocity[0])
    displacement = line - observer_position(moments.ravel()).reshape(line.shape)
    north, east = _axes(ra, dec)
    return np.asarray(displacement @ north), np.asarray(displacement @ east)


def shifts(
    displacement: tuple[FloatArray, FloatArray], pi_E_N: float, pi_E_E: float
) -> tuple[FloatArray, FloatArray]:
    """What is added to τ and to β, shape (n,) each, of what `offsets` gives and the microlensing parallax."""
    north, east = displacement
    return pi_E_N * north + pi_E_E * east, pi_E_N * east - pi_E_E * north


def projected_velocity(time: float, ra: float, dec: float) -> tuple[float, float]:
    """Velocity of the Earth towards north and east of a place on the sky.

    Parameters
    ----------
    time
        JD (TDB).
    ra, dec
        Degrees ICRS.

    Returns
    -------
    north, east
        au/day.
    """
    velocity = barycentric(np.array([time]), 0.0)[1][0]
    north, east = _axes(ra, dec)
    return float(velocity @ north), float(velocity @ east)


def barycentric(time: FloatArray, beyond: float) -> tuple[FloatArray, FloatArray]:
    """Place (au) and velocity (au/day) of a body beyond the Earth, barycentric, ICRS axes.

    The Earth is that of ERFA's ``epv00``, good to 14 km.

    Parameters
    ----------
    time
        Shape (n,): JD (TDB).
    beyond
        Its distance from the Earth over the Earth's from the Sun, away from the Sun; 0: the Earth.

    Returns
    -------
    place, velocity
        Shape (n, 3).
    """
    heliocentric, earth = erfa.ufunc.epv00(time, 0.0)[:2]
    return earth["p"] + beyond * heliocentric["p"], earth["v"] + beyond * heliocentric["v"]


def observer_position(time: FloatArray) -> FloatArray:
    """Place of L2, barycentric, ICRS axes, au, shape (n, 3), at times JD (TDB) of shape (n,)."""
    return _between_days(time, L2_OVER_SUN)


def earth_position(time: FloatArray) -> FloatArray:
    """Place of the Earth, barycentric, ICRS axes, au, shape (n, 3), at times JD (TDB) of shape (n,)."""
    return _between_days(time, 0.0)


def sun_to_earth(time: FloatArray) -> FloatArray:
    """Place of the Earth from the Sun, ICRS axes, au, shape (n, 3), at times JD (TDB) of shape (n,)."""
    return _between_days(time, 1.0) - _between_days(time, 0.0)


def _between_days(time: FloatArray, beyond: float) -> FloatArray:
    """Place of a body beyond the Earth as in `barycentric`, by cubics between whole days."""
    if time.size == 0:
        return np.empty((0, 3))
    day = np.floor(time).astype(np.int64)
    chunks, which = np.unique(day // _CHUNK, return_inverse=True)
    knots = [_knots(chunk, beyond) for chunk in chunks.tolist()]
    place, velocity = (np.concatenate(part) for part in zip(*knots, strict=True))
    first = which * (_CHUNK + 1) + day % _CHUNK
    w = (time - day)[:, None]
    begin = (1 + 2 * w) * (1 - w) ** 2 * place[first] + w * (1 - w) ** 2 * velocity[first]
    end = w**2 * (3 - 2 * w) * place[first + 1] + w**2 * (w - 1) * velocity[first + 1]
    return np.asarray(begin + end)


@lru_cache(maxsize=1024)
def _knots(chunk: int, beyond: float) -> tuple[FloatArray, FloatArray]:
    """Place and velocity of the body at the days of a chunk and the first of the next, shape (33, 3) each."""
    return barycentric(np.arange(chunk * _CHUNK, (chunk + 1) * _CHUNK + 1.0), beyond)


def _axes(ra: float, dec: float) -> tuple[FloatArray, FloatArray]:
    """Directions north and east on the sky at a place, ICRS."""
    alpha = np.radians(ra)
    east = np.array([-np.sin(alpha), np.cos(alpha), 0.0])
    return np.cross(erfa.s2c(alpha, np.radians(dec)), east), east
