"""How many exposures must show new light at one place, so that chance does not make objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FalseRate:
    """How densely sources that belong to nothing lie in the differences of exposures.

    Parameters
    ----------
    n_source
        Mean number of such sources in an exposure.
    area
        Area of an exposure, square arcsec.
    radius
        Distance (arcsec) within which sources of two exposures are at one place.
    """

    n_source: float
    area: float
    radius: float

    @property
    def at_a_place(self) -> float:
        """Chance that an exposure shows one within the radius of a place: 1 - exp(-n_source π r² / area)."""
        return float(-np.expm1(-self.n_source * np.pi * self.radius**2 / self.area))


def expected_coincidences(n_exposure: npt.ArrayLike, n_seen: int, rate: FalseRate) -> FloatArray:
    """Expect so many places in an image at which chance alone shows light in some exposures or more.

    With λ sources in each of n exposures, at random places, each of the n λ sources has one of another
    exposure beside it with the chance p of `FalseRate.at_a_place`, n - 1 times. A place counts once, for the
    most significant of its m sources: one is that with the chance 1 / m. So places of k or more are ::

        n λ Σ_{m ≥ k} B(m - 1; n - 1, p) / m  =  λ / p · Σ_{m ≥ k} B(m; n, p),

    B being the binomial distribution: as many places as circles of the radius have room in the image, each of
    which n exposures try. That two sources of one exposure are neighbours is left out, which counts too many.

    Parameters
    ----------
    n_exposure
        Any shape: exposures that looked.
    n_seen
        Least number of exposures that show light at a place, at least 1.
    rate
        Sources that belong to nothing.

    Returns
    -------
    ndarray
        The shape of ``n_exposure``.
    """
    number = np.asarray(n_exposure, dtype=np.int64)
    chance = rate.at_a_place
    if chance == 0:
        return np.zeros(number.shape)
    return np.asarray(rate.n_source / chance * binom.sf(n_seen - 1, number, chance))


def needed_exposures(most: int, rate: FalseRate, allowed: float, fewest: int) -> IntArray:
    """Number of exposures that must show light at a place, by the number of those that looked.

    Parameters
    ----------
    most
        Most exposures that looked at a place.
    rate
        Sources that belong to nothing.
    allowed
        How many places in an image chance may fill, see `expected_coincidences`.
    fewest
        Least number in any case.

    Returns
    -------
    ndarray
        Shape (most,): for 1, 2 … ``most`` exposures. More than all of them where so few cannot tell.
    """
    looked = np.arange(1, most + 1)
    needed = np.full(most, fewest)
    while (too_many := expected_coincidences(looked, int(needed.max(initial=1)), rate) > allowed).any():
        needed[too_many] = needed.max() + 1
    return needed
