"""Magnification of a disc, uniform or with a dark limb, by a single lens.

By Green's theorem the integral of A over a uniform disc is one along its edge (Gould & Gaucherel 1997, ApJ
477, 580). A disc whose limb is darkened linearly is a sum of uniform ones: with r = sin θ its surface
brightness ``1 - u (1 - cos θ)`` falls by ``u sin θ dθ``, so that

    A = [(1 - u) A(ρ) + u ∫ sin³θ A(ρ sin θ) dθ] / (1 - u / 3).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_COSINE, _SHARE = np.cos(np.pi * (_NODES + 1) / 2), _WEIGHTS / 2
"""Places along half of the edge, and their weights, which add up to one."""

_FEW = 24
_FEW_COSINE = np.cos(np.pi * (np.arange(_FEW) + 0.5) / _FEW)
"""Places that suffice where the lens is off the edge: the integrand is periodic, and what is left out falls
as ``exp(-2 n |ln(u / ρ)|)`` with their number n."""

_OFF_EDGE = 1.65
"""Ratio of u and ρ, one way or the other, from which they do: to 1e-10."""


def _rings(number: int) -> tuple[FloatArray, FloatArray]:
    """Radii of the uniform discs that make a dark limb, and their weights, which add up to 2/3."""
    nodes, weights = np.polynomial.legendre.leggauss(number)
    radius = np.sin(np.pi * (nodes + 1) / 4)
    return radius, np.pi / 4 * weights * radius**3


_RING, _RING_SHARE = _rings(32)
_FEW_RING, _FEW_RING_SHARE = _rings(10)
"""Those that suffice where the lens is outside of the disc by `_OFF_EDGE`: to 1e-10."""

_FAR = 8.0
"""Radii from the lens beyond which the second order in ρ does: it is wrong by less than 1e-4 there."""


def magnification(u: npt.ArrayLike, rho: float, limb: float = 0.0) -> FloatArray:
    """Magnification of a disc by a single lens.

    Parameters
    ----------
    u
        Separation of lens and the middle of the disc, Einstein radii, any shape.
    rho
        Radius of the disc, Einstein radii; 0: a point.
    limb
        Linear limb darkening u: the surface brightness is ``1 - u (1 - cos θ)``.

    Returns
    -------
    ndarray
        Of the shape of u; NaN where it is NaN. Good to 1e-3 of its value for u within ρ (1 ± 0.01), to 1e-4
        elsewhere.

    Raises
    ------
    ValueError
        If rho is below zero or infinite, or limb not within 0 and 1.
    """
    if not (0 <= rho < np.inf and 0 <= limb <= 1):
        raise ValueError(f"need rho >= 0 and 0 <= limb <= 1, got rho={rho}, limb={limb}")
    separation = np.ascontiguousarray(np.abs(np.asarray(u, dtype=np.float64)))
    return np.asarray(_magnification(separation.ravel(), float(rho), float(limb)).reshape(separation.shape))


@compiled()
def _magnification(u: FloatArray, rho: float, limb: float) -> FloatArray:
    out = np.empty(u.size)
    dark = 1.0 - 0.4 * limb / (3.0 - limb)
    for k in range(u.size):
        u2 = u[k] * u[k]
        if u[k] < _FAR * rho:
            total = (1.0 - limb) * _uniform(u[k], rho)
            if limb > 0.0:
                few = u[k] > _OFF_EDGE * rho
                ring, share = (_FEW_RING, _FEW_RING_SHARE) if few else (_RING, _RING_SHARE)
                for j in range(ring.size):
                    total += limb * share[j] * _uniform(u[k], rho * ring[j])
            out[k] = total / (1.0 - limb / 3.0)
        else:
            # The mean over a disc is the value in its middle and ρ² / 8 of the Laplacian there.
            u4 = u2 + 4.0
            root = np.sqrt(u2 * u4)
            laplacian = 32.0 * (u2 + 1.0) / (u2 * u4 * u4 * root) if u2 > 0.0 else np.inf
            out[k] = (u2 + 2.0) / root + (dark * rho * rho * laplacian / 8.0 if rho > 0.0 else 0.0)
    return out


@compiled(fastmath=True, error_model="numpy")
def _uniform(u: float, rho: float) -> float:
    """Magnification of a uniform disc."""
    total, squares = 0.0, u * u + rho * rho
    if u > _OFF_EDGE * rho or rho > _OFF_EDGE * u:
        for k in range(_FEW):
            square = max(squares + 2.0 * u * rho * _FEW_COSINE[k], 1e-30)
            total += np.sqrt(1.0 + 4.0 / square) * (rho + u * _FEW_COSINE[k])
        return total / (_FEW * rho)
    for k in range(_COSINE.size):
        square = max(squares + 2.0 * u * rho * _COSINE[k], 1e-30)
        total += _SHARE[k] * np.sqrt(1.0 + 4.0 / square) * (rho + u * _COSINE[k])
    return total / rho
