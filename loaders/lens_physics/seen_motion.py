"""The Einstein radius by a relative proper motion that was seen in images.

The motion is seen from the Sun, and the Einstein time is that of the Earth at the time of the event: with
the relative parallax, ``μ_geo = μ_hel - v π_rel`` and ``θ_E = μ_geo t_E`` (Gould 2004, ApJ 606, 319; Dong et
al. 2009, ApJ 695, 970). Where microlensing parallax is measured ``π_rel = π_E θ_E``, which makes that a
quadratic equation for θ_E.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.lens_physics.model import FloatArray
from loaders.lens_physics.relations import DAYS_OF_YEAR, Motion

USUAL_PARALLAX = 0.06
"""Width of the relative parallaxes, mas, of lenses of bulge sources, where none is measured: 0.06 is that
of a lens at 5.5 kpc."""


@dataclass(frozen=True)
class SeenMotion:
    """A significant row of ``roman.relative_proper_motion``.

    Parameters
    ----------
    method
        How it was seen.
    east, north
        Motion of the lens less that of the source, mas/yr, heliocentric.
    covariance
        Shape (2, 2), of east and north.
    """

    method: str
    east: float
    north: float
    covariance: FloatArray

    def draws(self, n: int, rng: np.random.Generator) -> Motion:
        """Draws, shape (n,) each."""
        east, north = rng.multivariate_normal([self.east, self.north], self.covariance, n).T
        return Motion(north, east)


def einstein_radius(
    motion: Motion,
    t_e: FloatArray,
    pi_e: FloatArray | None,
    earth: tuple[float, float],
    rng: np.random.Generator,
) -> FloatArray:
    """Angular Einstein radius, mas, shape (n,).

    Parameters
    ----------
    motion
        Draws of the heliocentric motion, mas/yr, shape (n,) each.
    t_e
        Shape (n,): Einstein times, days.
    pi_e
        Shape (n,): sizes of parallax; None where it is not measured: relative parallaxes are drawn then.
    earth
        Velocity of the Earth towards north and east, au/yr.
    rng
        Random numbers.

    Returns
    -------
    ndarray
        NaN where no radius has that motion and parallax.
    """
    years = t_e / DAYS_OF_YEAR
    if pi_e is None:
        pi_rel = np.abs(rng.normal(0, USUAL_PARALLAX, t_e.size))
        return np.asarray(years * np.hypot(motion.north - earth[0] * pi_rel, motion.east - earth[1] * pi_rel))
    along = years**2 * pi_e * (motion.north * earth[0] + motion.east * earth[1])
    square = 1 - years**2 * pi_e**2 * (earth[0] ** 2 + earth[1] ** 2)
    root = along**2 + square * years**2 * (motion.north**2 + motion.east**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        radius = (np.sqrt(root) - along) / square
    return np.where((square > 0) & (root >= 0), radius, np.nan)
