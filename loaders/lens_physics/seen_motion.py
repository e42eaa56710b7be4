"""The Einstein radius by a relative proper motion that was seen in images.

The motion is seen from the Sun, and the Einstein time is that of the Earth at the time of the event: with
the relative parallax, ``μ_geo = μ_hel - v π_rel`` and ``θ_E = μ_geo t_E`` (Gould 2004, ApJ 606, 319; Dong et
al. 2009, ApJ 695, 970). Where microlensing parallax is measured ``π_rel = π_E θ_E``, which makes that a
quadratic equation for θ_E.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.lens_physics.model import FloatArray
from loaders.lens_physics.relations import DAYS_OF_YEAR, Motion

USUAL_PARALLAX = 0.06
"""Width of the relative parallaxes, mas, of lenses of bulge sources, where none is measured: 0.06 is that
of a lens at 5.5 kpc."""


WEIGHTED_MEAN = "weighted_mean"
"""Method of a motion that is the mean of those of two methods."""

_AGREE = 11.83
"""Chi-square of the difference of two motions, two components, up to which they agree: three errors."""


@dataclass(frozen=True)
class SeenMotion:
    """A significant row of ``roman.relative_proper_motion``, or the mean of two.

    Parameters
    ----------
    method
        How it was seen.
    east, north
        Motion of the lens less that of the source, mas/yr, heliocentric.
    covariance
        Shape (2, 2), of east and north.
    is_sided
        Whether the opposite motion is worse.
    """

    method: str
    east: float
    north: float
    covariance: FloatArray
    is_sided: bool = True

    @property
    def opposite(self) -> SeenMotion:
        """The same with the lens on the other side."""
        return replace(self, east=-self.east, north=-self.north)

    @property
    def error(self) -> float:
        """Error of its size, mas/yr."""
        along = np.array([self.east, self.north]) / max(np.hypot(self.east, self.north), 1e-30)
        return float(np.sqrt(along @ self.covariance @ along))

    def draws(self, n: int, rng: np.random.Generator) -> Motion:
        """Draws, shape (n,) each."""
        east, north = rng.multivariate_normal([self.east, self.north], self.covariance, n).T
        return Motion(north, east)


def best_motion(seen: Sequence[SeenMotion]) -> SeenMotion | None:
    """The motion that counts of those by different methods.

    The mean, weighted with inverse covariances, of the two that are known best, if they agree within three
    errors; else the one whose size is known best; None of none. One whose side is not known is taken as the
    other has it. What they share, errors of the shares of light, is not allowed for.
    """
    ranked = sorted(seen, key=lambda one: one.error)
    if len(ranked) < 2:
        return ranked[0] if ranked else None
    pairs = [(ranked[0], ranked[1])]
    if not ranked[1].is_sided:
        pairs.append((ranked[0], ranked[1].opposite))
    elif not ranked[0].is_sided:
        pairs.append((ranked[0].opposite, ranked[1]))
    chi2, first, second = min(((_difference(*pair), *pair) for pair in pairs), key=lambda one: one[0])
    if chi2 > _AGREE:
        return ranked[0]
    weights = [np.linalg.inv(one.covariance) for one in (first, second)]
    covariance = np.linalg.inv(weights[0] + weights[1])
    sums = [weight @ [one.east, one.north] for weight, one in zip(weights, (first, second), strict=True)]
    east, north = (covariance @ (sums[0] + sums[1])).tolist()
    return SeenMotion(WEIGHTED_MEAN, east, north, covariance, first.is_sided or second.is_sided)


def _difference(first: SeenMotion, second: SeenMotion) -> float:
    """Chi-square of the difference of two motions."""
    apart = np.array([first.east - second.east, first.north - second.north])
    return float(apart @ np.linalg.solve(first.covariance + second.covariance, apart))


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
