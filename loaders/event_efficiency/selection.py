"""Which light curves are searched: the statistics of ``roman.variability``, of a light curve in memory.

The same summaries are made as when light curves are stored, merged by the same formulae as in SQL, and judged
as ``queries/jobs/variability.sql`` does it. Tests compare both, column by column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from loaders.event_efficiency.points import FloatArray, Points
from loaders.light_curve.summary import SegmentMatrix, SummaryArray, merge_summaries, summarise

_AB_ZERO, _NO_MAGNITUDE = 31.400066, 99.0
"""AB magnitude of 1 nJy, and what stands for that of a flux of zero or less, both as in SQL."""


@dataclass(frozen=True)
class Locus:
    """Where constant stars lie in an optical element: arrays of shape (n,), by ascending magnitude.

    Parameters
    ----------
    magnitude
        AB magnitude.
    centre, width
        Of the cube root of reduced chi-square.
    """

    magnitude: FloatArray
    centre: FloatArray
    width: FloatArray

    def at(self, magnitude: float) -> tuple[float, float]:
        """Centre and width at a magnitude: between two cells in proportion, beyond the last as there."""
        return tuple(float(np.interp(magnitude, self.magnitude, y)) for y in (self.centre, self.width))  # type: ignore[return-value]


@dataclass(frozen=True)
class Rules:
    """What decides whether and how light curves are searched.

    Parameters
    ----------
    least_index, least_run, least_connection
        Variability index, number of points in a row that are bright, and `connectedness` of successive points
        from each of which an object is searched.
    excluding_flags
        Points with any of these flags do not count.
    loci
        Where constant stars lie, by optical element; one without has that of perfect errors.
    modelled
        Whether models are fitted to what is found.
    """

    least_index: float
    least_run: int
    least_connection: float
    excluding_flags: int
    loci: Mapping[str, Locus]
    modelled: bool = False


@dataclass(frozen=True)
class Selection:
    """The greatest index (NaN where there is none) and run of all elements, and whether they are searched."""

    variability_index: float
    longest_run: int
    is_selected: bool


def select(curves: Sequence[Points], rules: Rules) -> Selection:
    """Say whether an object is searched: one of its optical elements must ask for it.

    Parameters
    ----------
    curves
        Its light curves, one an optical element.
    rules
        What is asked.
    """
    return selection_of([(curve.name, summary_of(curve, rules.excluding_flags)) for curve in curves], rules)


def selection_of(summaries: Sequence[tuple[str, np.void]], rules: Rules) -> Selection:
    """Say the same of the summaries of an object, each with the name of its element."""
    counted = [(name, one) for name, one in summaries if one["n_point"] > 0]
    index = [variability_index(one, rules.loci.get(name)) for name, one in counted]
    most = float(np.nanmax(index)) if np.isfinite(index).any() else float("nan")
    run = max((int(one["longest_run"]) for _, one in counted), default=0)
    connected = max((connectedness(one) for _, one in counted), default=0.0)
    enough = most >= rules.least_index or run >= rules.least_run or connected >= rules.least_connection
    return Selection(most, run, bool(enough))


def summary_of(curve: Points, excluding_flags: int) -> np.void:
    """Summary of a light curve, a row of `loaders.light_curve.summary.SUMMARY_DTYPE`."""
    edges = _changes(curve.reference)
    parts = [_summary(curve, slice(a, b), excluding_flags) for a, b in pairwise(edges)]
    return reduce(merge_summaries, parts)[0]  # type: ignore[no-any-return]


def connectedness(summary: np.void) -> float:
    """How much successive points have to do with each other: ``(1 - η / 2) √n``; 0 where nothing scatters.

    Von Neumann's ratio η of the fluxes (1941, Ann. Math. Stat. 12, 367) is 2 for noise of any distribution
    and any size, with a standard error of 2 / √n: this is normal with mean 0 and variance 1 where points are
    independent, however wrong their errors are.
    """
    if not summary["unweighted_m2"] > 0:
        return 0.0
    ratio = float(summary["sum_squared_difference"]) / float(summary["unweighted_m2"])
    return float((1 - ratio / 2) * np.sqrt(summary["n_point"]))


def magnitude_of(flux: float) -> float:
    """AB magnitude of a flux density (nJy), as in SQL."""
    return float(_AB_ZERO - 2.5 * np.log10(flux)) if flux > 0 else _NO_MAGNITUDE


def variability_index(summary: np.void, locus: Locus | None) -> float:
    """How many standard deviations a light curve scatters more than constant stars; NaN with one point.

    The cube root of reduced chi-square is nearly normal with mean 1 - 2 / 9 (n - 1) and variance
    2 / 9 (n - 1) (Wilson & Hilferty 1931, PNAS 17, 684); the locus takes the place of the mean where there is
    one, and of the width where it is wider.
    """
    n, flux = float(summary["n_point"]), float(summary["mean_flux"])
    if n < 2:
        return float("nan")
    spread = 2 / (9 * (n - 1))
    centre, width = locus.at(magnitude_of(flux)) if locus is not None else (1 - spread, 0.0)
    root = np.cbrt(float(summary["weighted_m2"]) / (n - 1))
    return float((root - centre) / max(width, np.sqrt(spread)))


def _summary(curve: Points, part: slice, excluding_flags: int) -> SummaryArray:
    """Summary of a part whose points have one reference flux, shape (1,)."""
    matrix = SegmentMatrix(curve.flux[part][None], curve.error[part][None], curve.flags[part][None])
    return summarise(matrix, curve.time[part], curve.reference[part][:1], excluding_flags)


def _changes(reference: FloatArray) -> npt.NDArray[np.int64]:
    """Where parts of one reference flux begin, and the end of the last one."""
    same = (reference[1:] == reference[:-1]) | (np.isnan(reference[1:]) & np.isnan(reference[:-1]))
    return np.concatenate([[0], np.flatnonzero(~same) + 1, [reference.size]])
