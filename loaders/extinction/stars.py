"""The stars of which maps of extinction are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.extinction.geometry import Cell

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_AB_ZERO_NJY = 3631e9


@dataclass(frozen=True)
class Stars:
    """Stars in the order of their pixels.

    Parameters
    ----------
    pixel
        Shape (n,), ascending: nested HEALPix pixels of order 29.
    magnitude
        AB magnitudes by optical element, shape (n,) each; NaN where not measured.
    """

    pixel: IntArray
    magnitude: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return self.pixel.size

    def of(self, cell: Cell) -> Stars:
        """Those in a cell."""
        first, end = np.searchsorted(self.pixel, [cell.first, cell.end])
        return Stars(self.pixel[first:end], {name: m[first:end] for name, m in self.magnitude.items()})


def stars_from_fluxes(pixel: IntArray, flux: Mapping[str, FloatArray]) -> Stars:
    """Stars of flux densities (nJy), shape (n,) by element, in any order; NaN or not above 0: unmeasured."""
    order = np.argsort(pixel, kind="stable")
    with np.errstate(invalid="ignore", divide="ignore"):
        magnitude = {name: -2.5 * np.log10(f[order] / _AB_ZERO_NJY) for name, f in flux.items()}
    return Stars(
        np.asarray(pixel, dtype=np.int64)[order],
        {name: np.where(np.isfinite(m), m, np.nan) for name, m in magnitude.items()},
    )
