"""Which PSF of a library serves an epoch: the nearest good one.

An entry belongs to one detector and optical element; the position on the detector is the business of the
entry's nodes (`EffectivePsf.at`). Nothing here knows where entries are stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.psf.model import FloatArray


@dataclass(frozen=True)
class Limits:
    """What an entry must reach to be used.

    Parameters
    ----------
    min_star
        Fewest stars that measured it.
    max_chi2
        Largest reduced chi-square; NaN in an entry fails.
    max_residual
        What may be left of bright stars as a fraction of their light: with less an entry may have a larger
        chi-square, as where many neighbours are not in the catalog.
    max_gap
        Largest distance in time to an entry, days.
    """

    min_star: int = 50
    max_chi2: float = 3.0
    max_residual: float = 0.0
    max_gap: float = 30.0


@dataclass(frozen=True)
class Entries:
    """Entries of a library as columns, shape (n,) each.

    Parameters
    ----------
    detector, optical_element
        What each entry is for.
    epoch
        Mean epoch, MJD TDB.
    n_star, chi2, residual
        Stars that measured it, goodness of fit, and what is left of bright stars (NaN: unknown).
    """

    detector: npt.NDArray[np.str_]
    optical_element: npt.NDArray[np.str_]
    epoch: FloatArray
    n_star: npt.NDArray[np.int64]
    chi2: FloatArray
    residual: FloatArray

    def usable(self, detector: str, optical_element: str, limits: Limits) -> npt.NDArray[np.int64]:
        """Indices of the entries for a detector and filter that reach the limits, by epoch."""
        same = (self.detector == detector) & (self.optical_element == optical_element)
        fits = (self.chi2 <= limits.max_chi2) | (self.residual <= limits.max_residual)
        good = (self.n_star >= limits.min_star) & fits
        found = np.flatnonzero(same & good)
        return found[np.argsort(self.epoch[found], kind="stable")]


def choose(
    entries: Entries, instrument: tuple[str, str], epoch: float, limits: Limits | None = None
) -> int | None:
    """Choose the entry that serves an epoch: the nearest good one, of two equally near the earlier.

    A block records the one PSF that measured each of its exposures.

    Parameters
    ----------
    entries
        The library.
    instrument
        Detector and optical element.
    epoch
        MJD TDB.
    limits
        Quality limits; defaults of `Limits` if None.

    Returns
    -------
    int or None
        Index of the entry; None if none is good and near enough: the optics have to serve.
    """
    limits = limits or Limits()
    found = entries.usable(*instrument, limits)
    gap = np.abs(entries.epoch[found] - epoch)
    if not (gap <= limits.max_gap).any():
        return None
    return int(found[np.argmin(gap)])
