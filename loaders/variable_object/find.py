"""What is said of a variable object: its period, its trends, and a hint of its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.stored_curve.band import Band
from loaders.variability.statistics import describe
from loaders.variable_object.hints import Traits, hint
from loaders.variable_object.periods import Period, find_period
from loaders.variable_object.trends import FEWEST, Trend, explained_by_line, trend

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A quantity of an object over time, shape (n,) each; NaN where not measured.

    Parameters
    ----------
    element, quantity
        Optical element, and name of the quantity.
    time
        BJD (TDB), days.
    value, error
        In the unit of the quantity.
    """

    element: str
    quantity: str
    time: FloatArray
    value: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class VariableObject:
    """An object whose light curves vary.

    Parameters
    ----------
    object_id
        Its identifier.
    bands
        Its light curves, points that count.
    series
        Positions and shapes over time.
    """

    object_id: int
    bands: Sequence[Band]
    series: Sequence[Series]


@dataclass(frozen=True)
class Description:
    """What is said of an object; trends by element and quantity, each with its time of reference."""

    object_id: int
    class_hint: str
    period: Period | None
    element: str
    n_point: int
    trends: Mapping[tuple[str, str], tuple[Trend, float]]


def describe_object(one: VariableObject) -> Description:
    """Find the period and the trends of an object.

    Parameters
    ----------
    one
        The object, with at least one point.
    """
    bands = [band for band in one.bands if len(band)]
    densest = max(bands, key=len)
    period = find_period(bands)
    fluxes = [Series(band.name, "flux", band.time, band.flux, band.error) for band in bands]
    trends = {}
    for series in (*fluxes, *one.series):
        middle = _middle(series)
        line = trend(series.time, series.value, series.error, middle)
        if line is not None:
            trends[series.element, series.quantity] = (line, middle)
    count = sum(len(band) for band in bands)
    return Description(one.object_id, _hint(densest, period), period, densest.name, count, trends)


def _middle(series: Series) -> float:
    """Mean time of what was measured; 0 where nothing was."""
    known = np.isfinite(series.value)
    return float(series.time[known].mean()) if known.any() else 0.0


def _hint(band: Band, period: Period | None) -> str:
    """The hint of a class from the element with most points."""
    if len(band) < FEWEST:
        return "unknown"
    statistics = describe(band.flux[None], band.error[None])[0]
    traits = Traits(
        period.log_false_alarm if period else np.nan,
        period.explained if period else np.nan,
        float(np.ptp(band.time)) / period.period if period else np.nan,
        explained_by_line(band.time, band.flux, band.error),
        float(statistics["skewness"]),
        float(statistics["von_neumann"]),
    )
    return hint(traits)
