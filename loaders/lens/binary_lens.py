"""Magnification by two lenses, of a point or of a disc with a dark limb, in the conventions of MulensModel.

Lengths are in Einstein radii of the whole mass. The centre of mass is at the origin, the first lens, of
mass 1 / (1 + q), at x = -s q / (1 + q), the second one at x = s / (1 + q). The angle alpha is that of
MulensModel 3 (Poleski & Yee 2019, Astronomy and Computing 26, 35), in degrees: that of Skowron et al. (2011,
ApJ 738, 87) less 180.

Most points of a light curve are far from caustics: there the point source with its quadrupole serves
(`binary_kernels`). Others are integrated along the edges of the images by VBMicrolensing (Bozza 2010, MNRAS
408, 2188; Bozza et al. 2018, MNRAS 479, 5157; Bozza et al. 2025, A&A 694, A219).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.lens.binary_kernels import CLOSE, disc_magnification

FloatArray = npt.NDArray[np.float64]

_ACCURACY = 3e-4
"""Relative error up to which VBMicrolensing goes on, if nothing else is asked for."""

_QUADRUPOLE = 4e-3
"""How much of the magnification the quadrupole may be; what it leaves out is far less."""


_RINGS = 2
"""Rings into which VBMicrolensing cuts a disc with a dark limb, at least. Of one ring it takes the disc for
evenly bright and its own error for nothing where a caustic lies within: up to 3 % off. Two cost no more."""


@dataclass(frozen=True)
class Disc:
    """A source, and how well its magnification is to be known.

    Parameters
    ----------
    rho
        Radius, Einstein radii; 0: a point.
    limb
        Linear limb darkening u: the surface brightness is ``1 - u (1 - cos θ)``.
    accuracy
        Relative error up to which contours are refined; searches may ask for less than fits.
    """

    rho: float = 0.0
    limb: float = 0.0
    accuracy: float = _ACCURACY


def magnification(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    s: npt.ArrayLike,
    q: float,
    rho: float = 0.0,
    limb: float = 0.0,
) -> FloatArray:
    """Magnification by two lenses.

    Parameters
    ----------
    x, y
        Source from the centre of mass, Einstein radii; they broadcast. In order of time it goes fastest.
    s
        Separation of the lenses, Einstein radii; one of each place where they move.
    q
        Mass of the second lens over that of the first; may be above 1.
    rho, limb
        Of the `Disc`.

    Returns
    -------
    ndarray
        Of the shape of x and y; NaN where one of them is NaN. Good to 1e-3 of its value.

    Raises
    ------
    ValueError
        If s or q is not above zero, rho is below, or limb is not within 0 and 1.
    """
    return disc_magnification_of(x, y, (s, q), Disc(rho, limb))


def disc_magnification_of(
    x: npt.ArrayLike, y: npt.ArrayLike, lens: tuple[npt.ArrayLike, float], disc: Disc
) -> FloatArray:
    """Magnification of a disc by two lenses (s, q); as `magnification`, as well as the disc asks for."""
    (s, q), rho, limb = lens, disc.rho, disc.limb
    apart = np.asarray(s, dtype=np.float64)
    if not (
        np.all((apart > 0) & (apart < np.inf)) and 0 < q < np.inf and 0 <= rho < np.inf and 0 <= limb <= 1
    ):
        raise ValueError(
            f"need s > 0, q > 0, rho >= 0 and 0 <= limb <= 1, got s={apart}, q={q}, rho={rho}, limb={limb}"
        )
    if q > 1:
        return disc_magnification_of(-np.asarray(x), y, (apart, 1 / q), disc)
    places = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), apart)
    across, along, apart = (np.ascontiguousarray(one).ravel() for one in places)
    known = np.isfinite(across) & np.isfinite(along)
    out = np.full(across.size, np.nan)
    out[known] = _of_points(across[known], along[known], (apart[known], float(q)), disc)
    return out.reshape(places[0].shape)


def _of_points(x: FloatArray, y: FloatArray, lens: tuple[FloatArray, float], disc: Disc) -> FloatArray:
    """Magnification at places that are known, shape (n,) as s is, q being at most 1."""
    out, state = np.empty(x.size), np.empty(x.size, dtype=np.uint8)
    darkening = 1 - 0.4 * disc.limb / (3 - disc.limb)
    disc_magnification((x, y), lens, float(disc.rho), darkening, _QUADRUPOLE, (out, state))
    for k in np.flatnonzero(state == CLOSE):
        out[k] = _contour(float(x[k]), float(y[k]), (float(lens[0][k]), lens[1]), disc)
    return out


def trajectory(
    time: npt.ArrayLike,
    t_0: float,
    u_0: float,
    t_E: float,
    alpha: npt.ArrayLike = 0.0,
    offsets: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Where the source is, from the centre of mass.

    ``x = -τ cos α + β sin α``, ``y = -τ sin α - β cos α`` with ``τ = (t - t_0) / t_E`` and ``β = u_0``.

    Parameters
    ----------
    time
        Shape (n,), days.
    t_0, u_0, t_E
        Time of the closest approach to the centre of mass, in the scale of ``time``; Einstein radii; days.
    alpha
        Degrees; of shape (n,) where the lenses turn.
    offsets
        What is added to τ and β, shape (n,) each, such as `loaders.lens.parallax.shifts` gives.

    Returns
    -------
    x, y
        Shape (n,), Einstein radii.
    """
    tau = (np.asarray(time, dtype=np.float64) - t_0) / t_E
    beta = np.full_like(tau, u_0)
    if offsets is not None:
        tau, beta = tau + np.asarray(offsets[0]), beta + np.asarray(offsets[1])
    cosine, sine = np.cos(np.radians(alpha)), np.sin(np.radians(alpha))
    return -tau * cosine + beta * sine, -tau * sine - beta * cosine


def _contour(x: float, y: float, lens: tuple[float, float], disc: Disc) -> float:
    """Magnification of a source by VBMicrolensing."""
    engine = _engine()
    if disc.rho == 0:
        return float(engine.BinaryMag0(*lens, x, y))
    engine.a1 = disc.limb
    engine.Tol = engine.RelTol = disc.accuracy
    return float(engine.BinaryMag2(*lens, x, y, disc.rho))


@cache
def _engine() -> Any:
    """VBMicrolensing, made once: it is not to be used by several threads at once."""
    import VBMicrolensing  # noqa: PLC0415 - a tenth of a second that only light curves near caustics need

    engine = VBMicrolensing.VBMicrolensing()
    engine.minannuli = _RINGS
    return engine
