"""Which PSF of a library serves an epoch: the nearest good one, or two of them in proportion.

An entry belongs to one detector and optical element; the position on the detector is the business of the
entry's nodes (`EffectivePsf.at`). Nothing here knows where entries are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf, FloatArray


@dataclass(frozen=True)
class Limits:
    """What an entry must reach to be used.

    Parameters
    ----------
    min_star
        Fewest stars that measured it.
    max_chi2
        Largest reduced chi-square; NaN in an entry fails.
    max_gap
        Largest distance in time to an entry, days.
    """

    min_star: int = 50
    max_chi2: float = 3.0
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
    n_star, chi2
        Stars that measured it and goodness of fit.
    """

    detector: npt.NDArray[np.str_]
    optical_element: npt.NDArray[np.str_]
    epoch: FloatArray
    n_star: npt.NDArray[np.int64]
    chi2: FloatArray

    def usable(self, detector: str, optical_element: str, limits: Limits) -> npt.NDArray[np.int64]:
        """Indices of the entries for a detector and filter that reach the limits, by epoch."""
        same = (self.detector == detector) & (self.optical_element == optical_element)
        good = (self.n_star >= limits.min_star) & (self.chi2 <= limits.max_chi2)
        found = np.flatnonzero(same & good)
        return found[np.argsort(self.epoch[found], kind="stable")]


@dataclass(frozen=True)
class Choice:
    """Entries by index and their weights, shape (k,) each, k one or two; weights sum to one."""

    index: npt.NDArray[np.int64]
    weight: FloatArray


def choose(
    entries: Entries,
    instrument: tuple[str, str],
    epoch: float,
    limits: Limits | None = None,
    *,
    blend: bool = True,
) -> Choice | None:
    """Choose the entries that serve an epoch.

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
    blend
        Whether to interpolate linearly in time between the entries before and after the epoch, if both are
        within the largest gap; otherwise, and beyond the ends, the nearest entry serves alone. Of two
        equally near the earlier does.

    Returns
    -------
    Choice or None
        None if no entry is good and near enough: the optics have to serve.
    """
    limits = limits or Limits()
    found = entries.usable(*instrument, limits)
    gap = np.abs(entries.epoch[found] - epoch)
    near = found[gap <= limits.max_gap]
    if near.size == 0:
        return None
    at = entries.epoch[near]
    after = int(np.searchsorted(at, epoch))
    if blend and 0 < after < near.size and at[after] > epoch:
        share = (epoch - at[after - 1]) / (at[after] - at[after - 1])
        return Choice(near[after - 1 : after + 1], np.array([1 - share, share]))
    nearest = int(np.argmin(np.abs(at - epoch)))
    return Choice(near[nearest : nearest + 1], np.ones(1))


def combine(choice: Choice, psfs: Mapping[int, EffectivePsf] | Sequence[EffectivePsf]) -> EffectivePsf:
    """Blend the PSFs of a choice.

    Parameters
    ----------
    choice
        What `choose` returned.
    psfs
        The effective PSFs by index of the entry.

    Returns
    -------
    EffectivePsf
        On the nodes of the first.

    Raises
    ------
    ValueError
        If their oversampling or size differ.
    """
    chosen = [psfs[int(k)] for k in choice.index]
    first = chosen[0]
    forms = {(psf.oversampling, psf.size) for psf in chosen}
    if len(forms) != 1:
        raise ValueError(f"PSFs to blend must share oversampling and size, got {sorted(forms)}")
    stamps = np.zeros_like(first.stamps)
    for weight, psf in zip(choice.weight, chosen, strict=True):
        stamps += weight * _at_nodes(psf, first)
    return EffectivePsf(stamps, first.oversampling, first.x_node, first.y_node)


def _at_nodes(psf: EffectivePsf, like: EffectivePsf) -> FloatArray:
    """Stamps of a PSF at the nodes of another."""
    return np.array([[psf.at(float(x), float(y)) for x in like.x_node] for y in like.y_node])
