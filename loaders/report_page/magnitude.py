"""AB magnitudes of fluxes in nJy (Oke & Gunn 1983, ApJ 266, 713)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.catalog.units import AB_ZERO_POINT

FloatArray = npt.NDArray[np.float64]


def ab_magnitude(flux: FloatArray) -> FloatArray:
    """AB magnitude of fluxes in nJy, same shape; NaN where a flux is not above zero."""
    seen = np.where(flux > 0, flux, np.nan)
    return np.asarray(-2.5 * np.log10(seen / AB_ZERO_POINT))


def magnitude_error(flux: FloatArray, error: FloatArray) -> FloatArray:
    """Standard errors of AB magnitudes, same shape; NaN where a flux is not above zero."""
    return np.asarray(2.5 / np.log(10) * error / np.where(flux > 0, flux, np.nan))
