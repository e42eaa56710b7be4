"""Which astrometric solutions are better than what is catalogued."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.catalogued import Catalogued

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AdoptionLimits:
    """When a solution is better.

    Parameters
    ----------
    gain
        Error of either component of the motion over the catalogued one, at most: 0.7 halves the variance, so
        that what is adopted is not replaced by what the same data say again.
    motion, parallax
        Errors, mas/yr and mas, of what is not catalogued: photometry takes it to be zero, of which stars of
        the bulge are this far (Terry et al. 2020, ApJ 889, 126: 2.5 to 3 mas/yr; parallaxes of 0.1 mas, and
        of the disc before it up to some tenths).
    rejected
        Share of the epochs without weight, at most: beyond that no single star was seen.
    """

    gain: float = 0.7
    motion: float = 3.0
    parallax: float = 0.3
    rejected: float = 0.25


def with_zero_points(solution: Catalogued, zero: FloatArray) -> Catalogued:
    """Solutions of which errors have those of the zero points in them, as the catalog's have.

    Parameters
    ----------
    solution
        n objects.
    zero
        Shape (n, 2): errors that all stars of a piece of the sky share, of parallax (mas) and of motion
        (mas/yr); NaN where nothing but the mean of the catalog fixes them: it stays as it is.
    """
    more = np.nan_to_num(zero)
    error = solution.error.copy()
    error[:, 2:] = np.hypot(error[:, 2:], more[:, [0, 1, 1]])
    return replace(solution, error=error)


def is_better(
    solution: Catalogued,
    rejected: FloatArray,
    known: Catalogued,
    limits: AdoptionLimits | None = None,
) -> npt.NDArray[np.bool_]:
    """Tell which solutions are to be adopted.

    Motions have to be better by `AdoptionLimits.gain`, and place (at the epoch of the solution) and parallax
    no worse: all five come from one solution, or none.

    Parameters
    ----------
    solution, known
        The same n objects; errors of `known` may be NaN, those of `solution` with zero points.
    rejected
        Shape (n,): share of the epochs that have no weight.
    limits
        When a solution is better.

    Returns
    -------
    ndarray
        Shape (n,): whether it is.
    """
    limits = limits or AdoptionLimits()
    years = np.abs(solution.astrometry.ref_epoch - known.astrometry.ref_epoch)[:, None]
    motion = _known_or(known.error[:, 3:], limits.motion)
    place = np.hypot(_known_or(known.error[:, :2], np.inf), motion * years)
    parallax = _known_or(known.error[:, 2], limits.parallax)
    moves = (solution.error[:, 3:] <= limits.gain * motion).all(axis=1)
    lies = (solution.error[:, :2] <= place).all(axis=1)
    return np.asarray(moves & lies & (solution.error[:, 2] <= parallax) & (rejected <= limits.rejected))


def _known_or(error: FloatArray, otherwise: float) -> FloatArray:
    """Errors, with another one where they are not known."""
    return np.where(np.isfinite(error), error, otherwise)
