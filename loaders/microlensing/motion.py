"""Stars that move past the place at which an object is measured, and brighten it without a lens.

What is measured at a place of the light of a star that is d away from there is ``exp(-π d² / N)`` of it, N
being the noise area of the PSF, one over the integral of its square (King 1983, PASP 95, 163): exact for
Gaussians. A star that passes with a steady motion has ``d² = d_0² + μ² (t - t_0)²``, so that its light is a
Gaussian in time, whose width its motion says, at whatever distance it passes. The same holds for the object
itself, where it leaves the place at which it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.lens_fit import Points
from loaders.stored_curve.band import Band, FloatArray

#: Motion (mas/yr) and motion over its error from which a star may be what brightens.
LEAST_SPEED, SIGNIFICANT = 10.0, 5.0

_NOISE_AREA = {"F087": 6.68, "F146": 10.1, "F213": 20.7}
"""Noise area of the PSF in square pixels (as of the simulated light curves); of others that of F146."""

_PIXEL, _YEAR = 110.0, 365.25
"""Milliarcseconds, days."""

_STRETCH = (0.6, 0.75, 0.9, 1.0, 1.15, 1.35, 1.6)
"""Widths that are tried, over that of a Gaussian PSF: real ones have cores and wings."""

_TRIED = 80
"""Moments of closest approach that are tried, over the light curve and two widths beyond."""


@dataclass(frozen=True)
class Mover:
    """A star that moves: the object itself, or one that cannot be told from it.

    Parameters
    ----------
    distance
        From the object, arcsec; 0 for itself.
    speed, error
        Proper motion and its standard error, mas/yr; of a neighbour that against the object.
    """

    distance: float
    speed: float
    error: float

    @property
    def is_known(self) -> bool:
        """Whether it moves for certain, and fast enough to matter; not where numbers are missing."""
        known = np.isfinite(self.speed) and np.isfinite(self.error) and self.error > 0
        return bool(known and self.speed >= LEAST_SPEED and self.speed >= SIGNIFICANT * self.error)


@dataclass(frozen=True)
class Passage:
    """What a star that passes explains.

    Parameters
    ----------
    mover
        Which one.
    chi2
        Of the best passage.
    ahead
        By how much that is lower than chi-square of what it is compared with; NaN before.
    """

    mover: Mover
    chi2: float
    ahead: float = float("nan")


@dataclass(frozen=True)
class Motion:
    """A proper motion of a star: components on the sky and their errors, mas/yr; NaN where unknown.

    Parameters
    ----------
    star_id
        The object itself, or a neighbour of it.
    distance
        From the object, arcsec.
    """

    star_id: int
    distance: float
    pm_ra: float
    pm_dec: float
    pm_ra_err: float
    pm_dec_err: float

    def against(self, other: Motion | None) -> Mover:
        """The star as it moves against another one; against the sky without one whose motion is known."""
        known = other is not None and np.isfinite([other.pm_ra, other.pm_dec, other.error]).all()
        still = other if known and other is not None else Motion(0, 0.0, 0.0, 0.0, 0.0, 0.0)
        speed = float(np.hypot(self.pm_ra - still.pm_ra, self.pm_dec - still.pm_dec))
        return Mover(self.distance, speed, float(np.hypot(self.error, still.error)))

    @property
    def error(self) -> float:
        """The larger error of both components."""
        return float(np.maximum(self.pm_ra_err, self.pm_dec_err))


def movers_of(object_id: int, motions: Sequence[Motion]) -> list[Mover]:
    """Stars that may pass the place of an object: itself against the sky, others against it.

    Parameters
    ----------
    object_id
        The object.
    motions
        What is known of it and its neighbours, the most certain first; of one star there may be several.
    """
    own = next((one for one in motions if one.star_id == object_id), None)
    return [one.against(None if one.star_id == object_id else own) for one in motions]


def best_passage(bands: Sequence[Band], movers: Sequence[Mover]) -> Passage | None:
    """The passage that explains light curves best.

    Parameters
    ----------
    bands
        The light curves, condensed.
    movers
        Stars at the place of the object, in any order; those that hardly move do not count.

    Returns
    -------
    Passage or None
        None where nothing moves for certain.
    """
    points = Points.of(bands)
    tried = [Passage(mover, _passing_chi2(points, mover)) for mover in movers if mover.is_known]
    return min(tried, key=lambda one: one.chi2, default=None)


def width(mover: Mover, optical_element: str) -> float:
    """Days in which the light of a star that passes falls by e: ``√(N / π) / μ``."""
    area = _NOISE_AREA.get(optical_element, _NOISE_AREA["F146"])
    return float(np.sqrt(area / np.pi) * _PIXEL / mover.speed * _YEAR)


def _passing_chi2(points: Points, mover: Mover) -> float:
    """Best chi-square of a Gaussian in time and a constant in each element, over moments and widths."""
    first, last = float(points.time.min()), float(points.time.max())
    best = np.inf
    for stretch in _STRETCH:
        widths = [stretch * width(mover, name) for name in points.names]
        beyond = 2 * max(widths)
        moment = np.linspace(first - beyond, last + beyond, _TRIED)[:, None]
        total = np.zeros(_TRIED)
        for part, tau in zip(points.slices, widths, strict=True):
            shape = np.exp(-(((points.time[part] - moment) / tau) ** 2))
            total += _left(shape, points.value[part], points.scale[part])
        best = min(best, float(total.min()))
    return best


def _left(shape: FloatArray, value: FloatArray, scale: FloatArray) -> FloatArray:
    """Sums of squares that each shape, of shape (n_shape, n), and a constant leave of n scaled values."""
    weight = scale**2
    mean = (value @ scale) / weight.sum()
    flat = value - mean * scale
    curve = (shape - (shape @ weight)[:, None] / weight.sum()) * scale
    asked, information = curve @ flat, np.sum(curve**2, axis=1)
    return np.asarray(flat @ flat - asked**2 / np.maximum(information, 1e-12 * weight.sum()))
