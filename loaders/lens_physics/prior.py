"""Mass and distance of a lens by what a model of the Galaxy expects of an event with its time scale.

The rate of events by distance of the lens, its mass and the motion is ``n(D_L) D_L² θ_E μ φ(M) f(μ)``
(Dominik 2006, MNRAS 367, 669; Batista et al. 2011, A&A 529, A102, equation 18). Draws of what the light curve
says are weighted by it, times the Jacobian from (D_L, M, μ) to what was drawn; so what was measured stays,
and the Galaxy decides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.lens_physics.galaxy import Sightline
from loaders.lens_physics.mass_function import number_density
from loaders.lens_physics.model import FloatArray
from loaders.lens_physics.relations import Motion, heliocentric, lens_distance, mass, proper_motion

#: Effective number of draws below which the Galaxy has no such event.
LEAST_EFFECTIVE = 50.0

_RADII = (np.log(0.003), np.log(20.0))
"""Logarithms of Einstein radii (mas) that are tried where none was measured."""

_NEAREST = 0.05
"""Distance in kpc below which there is no lens."""


@dataclass(frozen=True)
class Evidence:
    """What a light curve says.

    Parameters
    ----------
    t_e
        Shape (n,): draws of the Einstein time, days, finite.
    theta_e
        Shape (n,): draws of the Einstein radius, mas, finite; None if it was not measured.
    theta_star, rho
        Draws of the angular radius of the source, mas, shape (n,), finite, and value and error of rho where
        it is only limited; None without.
    pi_e, pi_e_covariance
        Values, shape (2,), towards north and east, and covariance (2, 2) of parallax; None without.
    parallax_measured
        Whether parallax is far enough from zero to be drawn from.
    earth
        Velocity of the Earth towards north and east, au/yr.
    """

    t_e: FloatArray
    theta_e: FloatArray | None = None
    theta_star: FloatArray | None = None
    rho: tuple[float, float] | None = None
    pi_e: FloatArray | None = None
    pi_e_covariance: FloatArray | None = None
    parallax_measured: bool = False
    earth: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Expected:
    """Lenses, weighted.

    Parameters
    ----------
    weight
        Shape (n,), of sum 1.
    theta_e, pi_rel, mu
        Shape (n,): mas, mas, mas/yr (geocentric).
    mass, lens, source
        Shape (n,): solar masses; distances of lens and source, kpc.
    """

    weight: FloatArray
    theta_e: FloatArray
    pi_rel: FloatArray
    mu: FloatArray
    mass: FloatArray
    lens: FloatArray
    source: FloatArray

    @property
    def n_effective(self) -> float:
        """Effective number of draws (Kish 1965)."""
        return float(1 / np.sum(self.weight**2)) if self.weight.any() else 0.0


def expected(evidence: Evidence, sight: Sightline, rng: np.random.Generator, n: int) -> Expected:
    """Weight lenses by what the Galaxy expects and the light curve says.

    Parameters
    ----------
    evidence
        The light curve.
    sight
        Where the event is.
    rng
        Random numbers.
    n
        Number of draws.

    Returns
    -------
    Expected
        With weights of zero if no lens of the Galaxy does it.
    """
    # What was drawn together stays together.
    of = rng.integers(0, evidence.t_e.size, n)
    t_e = evidence.t_e[of]
    theta_e, weight = _radii(evidence, of, rng)
    source = sight.source_distance(n, rng)
    pi, more, lens = _parallaxes(evidence, theta_e, source, rng)
    weight = weight * more
    size = np.hypot(*pi)
    pi_rel, mu, masses = size * theta_e, proper_motion(theta_e, t_e), mass(theta_e, size)
    moving = heliocentric(Motion(mu * pi[0] / size, mu * pi[1] / size), pi_rel, evidence.earth)
    bulge, disc = sight.motion_density(lens, source, *moving)
    density = bulge * sight.bulge(lens) + disc * sight.disc(lens)
    rate = density * lens**2 * theta_e * mu * number_density(masses) * mu
    weight = weight * rate * (2 * masses / theta_e) * (mu / t_e) * _limited(evidence, theta_e, of)
    weight = np.where((lens > _NEAREST) & np.isfinite(weight), weight, 0.0)
    total = weight.sum()
    return Expected(weight / total if total > 0 else weight, theta_e, pi_rel, mu, masses, lens, source)


def weighted_quantiles(value: FloatArray, weight: FloatArray, at: FloatArray) -> FloatArray:
    """Quantiles of weighted draws.

    Parameters
    ----------
    value, weight
        Shape (n,).
    at
        Shape (m,): from 0 to 1.
    """
    order = np.argsort(value)
    total = np.cumsum(weight[order])
    return np.asarray(np.interp(at, (total - 0.5 * weight[order]) / total[-1], value[order]))


def _radii(
    evidence: Evidence, of: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Einstein radii, and one over the density by which they were drawn."""
    if evidence.theta_e is not None:
        return evidence.theta_e[of], np.ones(of.size)
    theta_e = np.exp(rng.uniform(*_RADII, of.size))
    return theta_e, theta_e


def _parallaxes(
    evidence: Evidence, theta_e: FloatArray, source: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Parallaxes, shape (2, n), one over the density by distance and direction, and distances of the lens."""
    n = theta_e.size
    value, covariance = evidence.pi_e, evidence.pi_e_covariance
    if evidence.parallax_measured and value is not None and covariance is not None:
        pi = rng.multivariate_normal(value, covariance, n).T
        size = np.hypot(*pi)
        lens = lens_distance(size * theta_e, source)
        return pi, lens**2 * theta_e / size, lens
    lens, angle = source * rng.uniform(0, 1, n), rng.uniform(0, 2 * np.pi, n)
    size = (1 / lens - 1 / source) / theta_e
    pi = size * np.array([np.cos(angle), np.sin(angle)])
    weight = source.copy()
    if value is not None and covariance is not None:
        off = pi - value[:, None]
        weight *= np.exp(-0.5 * np.einsum("in,ij,jn->n", off, np.linalg.inv(covariance), off))
    return pi, weight, lens


def _limited(evidence: Evidence, theta_e: FloatArray, of: npt.NDArray[np.int64]) -> FloatArray:
    """How well radii agree with a size of the source that is only limited, shape (n,)."""
    if evidence.rho is None or evidence.theta_star is None:
        return np.ones(theta_e.size)
    rho, error = evidence.rho
    off = evidence.theta_star[of] / theta_e - rho
    return np.asarray(np.exp(-0.5 * (off / error) ** 2))
