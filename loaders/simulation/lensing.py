"""Magnification by a single lens: point source, uniform disc, annual parallax."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
import numpy.typing as npt
from astropy.time import Time

from loaders.simulation.ephemeris import observatory_state

FloatArray = npt.NDArray[np.float64]

_NODES = 200
_FAR = 30.0


@dataclass(frozen=True)
class Events:
    """Microlensing events, one a row; arrays of shape (n,).

    Parameters
    ----------
    star
        Index of the lensed star in the scene.
    kind
        The class of the event, as named in the parameters.
    t0
        Time of the closest approach, MJD (TDB at the barycentre).
    u0, t_einstein, rho
        Impact parameter and source radius in Einstein radii, Einstein time in days.
    source_fraction
        Share of the star's catalogued light that is magnified.
    pi_e_north, pi_e_east
        Microlensing parallax, geocentric convention (here: of the observatory at ``t0``).
    """

    star: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    t0: FloatArray
    u0: FloatArray
    t_einstein: FloatArray
    rho: FloatArray
    source_fraction: FloatArray
    pi_e_north: FloatArray
    pi_e_east: FloatArray


def magnification(events: Events, mjd_tdb: FloatArray, ra: float, dec: float) -> FloatArray:
    """Magnification of the light of each event's star, blended light included, shape (n_time, n_event).

    Parameters
    ----------
    events
        The events.
    mjd_tdb
        Shape (n_time,): barycentric times, MJD (TDB).
    ra, dec
        Direction of the field in deg ICRS, for the parallax.
    """
    tau = (mjd_tdb[:, None] - events.t0) / events.t_einstein
    beta = np.broadcast_to(events.u0, tau.shape)
    if events.pi_e_north.any() or events.pi_e_east.any():
        north, east = sun_displacement(mjd_tdb[:, None], events.t0, ra, dec)
        tau = tau + events.pi_e_north * north + events.pi_e_east * east
        beta = beta + events.pi_e_north * east - events.pi_e_east * north
    lensed = uniform_disc_magnification(np.hypot(tau, beta), events.rho)
    return 1.0 + events.source_fraction * (lensed - 1.0)


def point_source_magnification(u: npt.ArrayLike) -> FloatArray:
    """(u^2 + 2) / (u sqrt(u^2 + 4)) for a separation u in Einstein radii (Paczynski 1986, ApJ 304, 1, eq. 3).

    Infinite at u = 0.
    """
    square = np.square(np.asarray(u, dtype=np.float64))
    with np.errstate(divide="ignore"):
        return np.asarray((square + 2) / np.sqrt(square * (square + 4)))


def uniform_disc_magnification(u: npt.ArrayLike, rho: npt.ArrayLike) -> FloatArray:
    """Magnification of a uniform disc by a point lens.

    By Green's theorem the integral of A(r) r dr dtheta over the disc is that of r sqrt(r^2 + 4) / 2 dtheta
    along its edge (Gould & Gaucherel 1997, ApJ 477, 580), here by Gauss-Legendre quadrature over half of it.

    Parameters
    ----------
    u
        Separation of lens and centre of the disc in Einstein radii, broadcast against ``rho``.
    rho
        Radius of the disc in Einstein radii; where it is 0 the source is a point.
    """
    separation, radius = np.broadcast_arrays(np.abs(np.asarray(u, float)), np.asarray(rho, float))
    result = point_source_magnification(separation)
    # Beyond this many radii the disc differs from a point by less than 1e-3 (rho / u squared) of A - 1.
    near = (radius > 0) & (separation < _FAR * radius)
    result = np.atleast_1d(result)
    if near.any():
        result[np.atleast_1d(near)] = _disc(separation[near], radius[near])
    return np.asarray(result.reshape(separation.shape))


def _disc(u: FloatArray, rho: FloatArray) -> FloatArray:
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    cosine = np.cos(np.pi * (node + 1) / 2)
    square = (u**2 + rho**2)[:, None] + 2 * np.outer(u * rho, cosine)
    distance = np.sqrt(np.maximum(square, 1e-30))
    integrand = np.sqrt(distance**2 + 4) / distance * (rho[:, None] + np.outer(u, cosine))
    return np.asarray(integrand @ weight / (2 * rho))


def sun_displacement(
    mjd_tdb: FloatArray, t0: FloatArray, ra: float, dec: float
) -> tuple[FloatArray, FloatArray]:
    """How far the Sun, seen from L2, has left its straight line through t0, north and east on the sky (au).

    Gould (2004, ApJ 606, 319, eqs 4 and 5).

    Parameters
    ----------
    mjd_tdb, t0
        Barycentric times and times of reference, MJD (TDB); they broadcast.
    ra, dec
        Direction in deg ICRS.
    """
    time, reference = np.broadcast_arrays(mjd_tdb, t0)
    now = observatory_state(Time(time, format="mjd", scale="tdb"))
    then = observatory_state(Time(reference, format="mjd", scale="tdb"))
    observer = now.position - then.position - then.velocity * (time - reference)[..., None]
    alpha, delta = np.radians(ra), np.radians(dec)
    east = np.array([-np.sin(alpha), np.cos(alpha), 0.0])
    north = np.cross(erfa.s2c(alpha, delta), east)
    return np.asarray(-observer @ north), np.asarray(-observer @ east)
