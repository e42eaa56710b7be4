"""Places where so many exposures disagree with the reference that they are no outliers.

There the star varies, or a hit in one exposure has spoilt the reference for all. No pixel is left out there;
each counts the less, the farther it is off, which the next pass makes a mean near the median of all (Huber
1964, Ann. Math. Statist. 35, 73).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter, uniform_filter

from loaders.reference.kernels import Float32Array
from loaders.reference.normal import ExposurePixels
from loaders.reference.registration import Outliers

BoolArray = npt.NDArray[np.bool_]

_MANY = 0.3
"""Share of outliers among all pixels around a place from which it is contested."""

_REACH = 3
"""Detector pixels around a contested place that do not say where an exposure lies: the wings of a star that
varies are as wrong as its core, and stay below the noise."""

_MOST = 0.5
"""Share of an exposure that may be left out so."""


class Contest:
    """Counts outliers at their places.

    Parameters
    ----------
    seen
        Shape (ny, nx): weight of all pixels, each at the fine pixel that it is nearest to.
    oversampling
        Fine pixels per detector pixel along an axis.
    """

    def __init__(self, seen: Float32Array, oversampling: int) -> None:
        self._seen, self._hit = seen, np.zeros_like(seen)
        self._oversampling = oversampling

    def add(self, exposure: ExposurePixels, outliers: Outliers) -> None:
        """Count the outliers of an exposure."""
        np.add.at(self._hit, _nearest(exposure, outliers), exposure.weight.ravel()[outliers.index])

    def places(self) -> BoolArray:
        """Contested places, shape (ny, nx), and a detector pixel around them."""
        width = 2 * self._oversampling + 1
        hit, seen = (uniform_filter(one, width, mode="constant") for one in (self._hit, self._seen))
        return np.asarray(maximum_filter(hit > _MANY * np.maximum(seen, 0), size=width))


def surroundings(contested: BoolArray, oversampling: int) -> BoolArray:
    """Contested places and what lies around them, shape (ny, nx)."""
    return np.asarray(maximum_filter(contested, size=2 * _REACH * oversampling + 1))


def without_places(places: BoolArray, exposure: ExposurePixels) -> ExposurePixels:
    """An exposure in which pixels at some places do not count; as it is if they were most of it."""
    ny, nx = exposure.value.shape
    u, v = exposure.place.grid(np.arange(float(nx)), np.arange(float(ny)))
    row, column = (
        np.clip(np.rint(at).astype(np.int64), 0, length - 1)
        for at, length in zip((v, u), places.shape, strict=True)
    )
    out = places[row, column]
    if out.mean() > _MOST:
        return exposure
    return replace(exposure, weight=np.where(out, np.float32(0), exposure.weight))


def at_places(places: BoolArray, exposure: ExposurePixels, outliers: Outliers) -> BoolArray:
    """Which outliers lie at some places, shape (n,)."""
    return np.asarray(places[_nearest(exposure, outliers)])


def _nearest(exposure: ExposurePixels, outliers: Outliers) -> tuple[npt.NDArray[np.int64], ...]:
    """Row and column of the frame nearest to each outlier, shape (n,) each."""
    y, x = np.divmod(outliers.index, exposure.value.shape[1])
    u, v = exposure.place(x.astype(float), y.astype(float))
    return np.rint(v).astype(np.int64), np.rint(u).astype(np.int64)
