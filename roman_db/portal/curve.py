"""Light curves for plots: exact where few points are shown, otherwise what the screen can show of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roman_db.portal.decimation import FloatArray, IndexArray, visible
from roman_db.portal.reading import arrays

#: Points of an optical element that are sent as they are; more are thinned.
EXACT = 3000

#: Room at either end of a light curve: share of its length, at least so many days.
_MARGIN, _LEAST_MARGIN = 0.01, 0.005

#: Days without a point that part two seasons: those of the bulge are some 110 apart.
_GAP = 45.0


@dataclass(frozen=True)
class Curve:
    """Points of an object in one optical element in order of time; arrays of shape (n,).

    Parameters
    ----------
    time
        BJD (TDB), days.
    flux, flux_err
        nJy; NaN where the measurement failed.
    flags
        Bits as in ``roman.photometry_flag``.
    """

    optical_element: str
    exposure_id: npt.NDArray[np.int64]
    time: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    flags: npt.NDArray[np.int32]

    def take(self, chosen: IndexArray) -> Curve:
        """Some of the points."""
        return Curve(
            self.optical_element,
            self.exposure_id[chosen],
            self.time[chosen],
            self.flux[chosen],
            self.flux_err[chosen],
            self.flags[chosen],
        )

    @property
    def measured(self) -> Curve:
        """The points that have a flux."""
        return self.take(np.flatnonzero(np.isfinite(self.flux)))


@dataclass(frozen=True)
class Shown:
    """What is sent of a curve: its points, whether they are all, and how many there are in the span."""

    curve: Curve
    is_exact: bool
    n_point: int

    def document(self, x: FloatArray | None = None) -> dict[str, Any]:
        """Columns for JSON; ``x`` stands in place of the times. Identifiers are text: they have 64 bits."""
        one = self.curve
        return {
            "optical_element": one.optical_element,
            "is_exact": self.is_exact,
            "n_point": self.n_point,
            "x": one.time if x is None else x,
            "flux": one.flux,
            "flux_err": one.flux_err,
            "flags": one.flags,
            "exposure_id": one.exposure_id.astype(str) if self.is_exact else [],
        }


def read_curves(object_id: int, photometry_kind: str) -> list[Curve]:
    """Light curves of an object by optical element; none where it has no point of that kind."""
    found = arrays("curve_blocks", object_id=object_id, photometry_kind=photometry_kind)
    return list(_curves(found.combine_chunks()))


def shown(curve: Curve, span: tuple[float, float], columns: int, x: FloatArray | None = None) -> Shown:
    """What a plot shows of a curve, flagged points beside the others.

    Parameters
    ----------
    curve
        Points with a flux.
    span
        First and last x.
    columns
        Columns of pixels.
    x
        Shape (n,): what the points are plotted over, ascending or not; None for their times.
    """
    x = curve.time if x is None else x
    inside = np.flatnonzero((x >= span[0]) & (x <= span[1]))
    if inside.size <= EXACT:
        return Shown(curve.take(inside), True, inside.size)
    flagged = curve.flags != 0
    kept = [
        some[visible(x[some], curve.flux[some], span, columns)]
        for some in (inside[~flagged[inside]], inside[flagged[inside]])
        if some.size
    ]
    return Shown(curve.take(np.sort(np.concatenate(kept))), False, inside.size)


def thinned_band(band: Mapping[str, Any], span: tuple[float, float], columns: int) -> dict[str, Any]:
    """What plots show of points and of what a model leaves of them.

    Parameters
    ----------
    band
        ``optical_element``; ``time``, ``flux``, ``flux_err`` and ``residual``, shape (n,).
    span, columns
        As of `shown`.
    """
    time = band["time"]
    kept = np.flatnonzero((time >= span[0]) & (time <= span[1]))
    n_point = kept.size
    if n_point > EXACT:
        seen = [kept[visible(time[kept], band[name][kept], span, columns)] for name in ("flux", "residual")]
        kept = np.unique(np.concatenate(seen))
    said = {"optical_element": band["optical_element"], "n_point": n_point, "is_exact": n_point <= EXACT}
    return said | {name: band[name][kept] for name in ("time", "flux", "flux_err", "residual")}


def span_of(curves: list[Curve]) -> tuple[float, float] | None:
    """Times before the first and after the last point with a flux, by a little; None without one."""
    times = [one.measured.time for one in curves]
    full = [(one[0], one[-1]) for one in times if one.size]
    if not full:
        return None
    first, last = min(one for one, _ in full), max(one for _, one in full)
    margin = max(_MARGIN * float(last - first), _LEAST_MARGIN)
    return float(first) - margin, float(last) + margin


def seasons_of(curves: list[Curve]) -> list[tuple[float, float]]:
    """Spans of times without a gap of `_GAP` days, each with its margin; one alone is none."""
    times = [one.measured.time for one in curves]
    time = np.sort(np.concatenate(times)) if times else np.empty(0)
    gaps = np.flatnonzero(np.diff(time) > _GAP)
    if gaps.size == 0:
        return []
    first, last = time[np.append(0, gaps + 1)], time[np.append(gaps, time.size - 1)]
    margin = np.maximum(_MARGIN * (last - first), _LEAST_MARGIN)
    return list(zip((first - margin).tolist(), (last + margin).tolist(), strict=True))


def _curves(table: pa.Table) -> Iterator[Curve]:
    """The curves of a table of blocks, which is ordered by optical element."""
    names = ("exposure_id", "midpoint_bjd_tdb", "flux", "flux_err", "flags")
    if table.num_rows == 0:
        return
    elements = np.array(table["optical_element"].to_pylist())
    lists = [table[name].combine_chunks() for name in names]
    length = np.diff(lists[0].offsets.to_numpy())
    element = np.repeat(elements, length)
    values = [one.flatten().to_numpy(zero_copy_only=False) for one in lists]
    for name in dict.fromkeys(elements.tolist()):
        mine = np.flatnonzero(element == name)
        mine = mine[np.argsort(values[1][mine], kind="stable")]
        exposure, time, flux, error, flags = (one[mine] for one in values)
        yield Curve(
            name, exposure, time, flux.astype(np.float64), error.astype(np.float64), flags.astype(np.int32)
        )
