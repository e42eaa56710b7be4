"""What is said of the relative proper motion of an event: a value, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Methods.
CHROMATIC_SHIFT, ELONGATION = "chromatic_shift", "elongation"

#: Chi-square of two components from which there is a motion: three errors.
SIGNIFICANT = 11.83

_PROBABLE = 0.0027
"""Probability below which light was not where it should have been: three errors."""


@dataclass(frozen=True)
class RelativeMotion:
    """A row of ``roman.relative_proper_motion``.

    Parameters
    ----------
    method, status
        See the table.
    n_season, n_exposure
        What it is from.
    motion
        Shape (2,): motion of the lens less that of the source towards east and north, mas/yr; None without.
    covariance
        Shape (2, 2).
    ref_epoch
        Mean epoch, Julian year.
    optical_elements
        Those used, the main one last.
    chi2_zero, chi2_start, reduced_chi2
        Of no motion; of one place at the time of the event, over its degrees of freedom; of the fit.
    share
        Share of the blend, or its difference, and its error.
    sign_known
        Whether minus the motion is worse.
    """

    method: str
    status: str
    n_season: int = 0
    n_exposure: int = 0
    motion: FloatArray | None = None
    covariance: FloatArray | None = None
    ref_epoch: float | None = None
    optical_elements: tuple[str, ...] = ()
    chi2_zero: float | None = None
    chi2_start: float | None = None
    reduced_chi2: float | None = None
    share: tuple[float, float] | None = None
    sign_known: bool | None = None

    @property
    def size(self) -> tuple[float, float] | None:
        """Size of the motion and its error, mas/yr."""
        if self.motion is None or self.covariance is None:
            return None
        size = float(np.hypot(*self.motion))
        along = self.motion / size if size > 0 else np.array([1.0, 0.0])
        return size, float(np.sqrt(along @ self.covariance @ along))


def status_of(chi2_zero: float, start_probability: float = 1.0) -> str:
    """What a motion is worth.

    Parameters
    ----------
    chi2_zero
        Chi-square of no motion, two degrees of freedom.
    start_probability
        Probability that light lay as far from the source as it seems to at the time of the event.
    """
    if start_probability < _PROBABLE:
        return "blend_elsewhere"
    return "measured" if chi2_zero > SIGNIFICANT else "consistent_with_zero"
