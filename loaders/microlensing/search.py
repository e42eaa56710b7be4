"""The search for events: how much better than a constant a brightening explains a light curve.

At every time t0 and effective time scale teff two curves are tried, both linear in their two fluxes,
``f = f1 A_j(Q) + f0`` with ``Q = 1 + ((t - t0) / teff)²``, ``A_1 = Q^(-1/2)`` and
``A_2 = (1 - (Q / 2 + 1)^(-2))^(-1/2)``: the limits of a single lens for high and for low magnification (Kim
et al. 2018, AJ 155, 76). All points of the light curve take part at every place. For weights w and the flux f
less its mean, chi-square falls by ``(Σ w f A)² / (Σ w A² - (Σ w A)² / Σ w)``, each optical element has fluxes
of its own, and one that would have to fade adds nothing.

Points are put into bins that are short against teff, and those far from t0 into longer ones: the curves are
smooth there. So a time scale takes a time in proportion to the number of places that are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loaders.microlensing.search_kernels import STEP, Tables, bin_points, scan
from loaders.stored_curve.band import Band, FloatArray, seasons_of

_RATIO = 4.0 / 3.0
"""Ratio of successive time scales (Kim et al. 2018)."""

_SPARSE, _WORTH = 4.0, 10.0
"""At time scales below so many distances of their points, other elements than the one with most points are
asked only where the others have let chi-square fall by so much."""


@dataclass(frozen=True)
class SearchGrid:
    """Places at which events are looked for.

    Parameters
    ----------
    shortest, longest
        Effective time scales, days; successive ones have the ratio 4/3, and t0 is tried every third of one.
    beyond
        How far before and after a season t0 may lie, in units of teff.
    """

    shortest: float = 0.04
    longest: float = 300.0
    beyond: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.shortest <= self.longest or self.beyond < 0:
            raise ValueError(
                f"need 0 < shortest <= longest and beyond >= 0, got "
                f"{self.shortest}, {self.longest} and {self.beyond}"
            )

    @property
    def scales(self) -> FloatArray:
        """Effective time scales, days, ascending."""
        count = int(np.floor(np.log(self.longest / self.shortest) / np.log(_RATIO) + 1e-9)) + 1
        return np.asarray(self.shortest * _RATIO ** np.arange(count))


@dataclass(frozen=True)
class Scan:
    """What one time scale says, arrays of shape (n,) over the times t0 that were tried.

    Parameters
    ----------
    scale
        Effective time scale, days.
    time
        t0, BJD (TDB).
    gain
        By how much chi-square falls with the better of the two curves; 0 where no element brightens.
    shape
        1 or 2: which of them.
    """

    scale: float
    time: FloatArray
    gain: FloatArray
    shape: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Candidate:
    """A place of the grid: t0 and teff in days, the fall of chi-square there, and the curve (1 or 2)."""

    t_0: float
    t_eff: float
    gain: float
    shape: int


@dataclass(frozen=True)
class _Points:
    """What all time scales need of an element: the flux less its mean, the usual time between points."""

    time: FloatArray
    flux: FloatArray
    weight: FloatArray
    total: float
    apart: float

    @classmethod
    def of(cls, band: Band) -> _Points:
        """The points of an element."""
        weight = 1 / band.error**2
        flux = band.flux - np.average(band.flux, weights=weight)
        return cls(band.time, flux, weight, float(weight.sum()), float(np.median(np.diff(band.time))))


@dataclass(frozen=True)
class EventSearch:
    """A search, whose tables are made once.

    Parameters
    ----------
    grid
        Places at which events are looked for.
    """

    grid: SearchGrid = field(default_factory=SearchGrid)

    def scans(self, bands: Sequence[Band]) -> list[Scan]:
        """Try all places of the grid.

        Parameters
        ----------
        bands
            The light curves of an object.

        Returns
        -------
        list of Scan
            One a time scale, without those at which there is nothing to try.
        """
        bands = sorted((band for band in bands if len(band) > 2), key=len, reverse=True)
        if not bands:
            return []
        seasons, points = seasons_of(bands), [_Points.of(band) for band in bands]
        return [self._scan(points, seasons, float(scale)) for scale in self.grid.scales]

    def best(self, bands: Sequence[Band], count: int = 1, apart: float = 2.0) -> list[Candidate]:
        """The best places, at most so many, of each group within ``apart`` time scales the best one.

        Parameters
        ----------
        bands
            The light curves of an object.
        count
            Most candidates.
        apart
            Distance in the larger of two time scales below which places are of one group.
        """
        scans = self.scans(bands)
        if not scans:
            return []
        t_0, gain = (np.concatenate([getattr(scan, name) for scan in scans]) for name in ("time", "gain"))
        t_eff = np.repeat([scan.scale for scan in scans], [scan.time.size for scan in scans])
        shape = np.concatenate([scan.shape for scan in scans])
        found: list[Candidate] = []
        gain = gain.copy()
        while len(found) < count and gain.size and gain.max() > 0:
            k = int(np.argmax(gain))
            found.append(Candidate(float(t_0[k]), float(t_eff[k]), float(gain[k]), int(shape[k])))
            gain[np.abs(t_0 - t_0[k]) < apart * np.maximum(t_eff, t_eff[k])] = 0.0
        return found

    def _scan(self, bands: Sequence[_Points], seasons: FloatArray, scale: float) -> Scan:
        """Try one time scale."""
        begin = seasons[0, 0] - self.grid.beyond * scale
        width = scale / STEP
        count = int(np.ceil((seasons[-1, 1] + self.grid.beyond * scale - begin) / width)) + 1
        places = _places(seasons, begin, width, self.grid.beyond * scale)
        gain = np.zeros((2, places.size))
        tables = Tables.made()
        for band in bands:
            bins = bin_points(band.time, band.weight, band.flux, begin, width, count)
            least = _WORTH if band is not bands[0] and _SPARSE * band.apart > scale else 0.0
            scan(places, bins, tables, band.total, least, gain)
        shape = np.argmax(gain, axis=0)
        best = np.take_along_axis(gain, shape[None], axis=0)[0]
        return Scan(scale, begin + (places + 0.5) * width, best, (shape + 1).astype(np.int8))


def _places(seasons: FloatArray, begin: float, width: float, beyond: float) -> npt.NDArray[np.int64]:
    """Bins at whose middle events are tried: every second one, in seasons and next to them."""
    first = np.floor((seasons[:, 0] - beyond - begin) / width).astype(np.int64) // 2 * 2
    last = np.ceil((seasons[:, 1] + beyond - begin) / width).astype(np.int64) + 1
    # Seasons may overlap when so much is added to them.
    first[1:] = np.maximum(first[1:], (last[:-1] + 1) // 2 * 2)
    return np.concatenate([np.arange(a, b, 2) for a, b in zip(first, last, strict=True)])
