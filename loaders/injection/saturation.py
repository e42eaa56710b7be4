"""Pixels that the added light saturates: after which resultant, and how noisy their slopes are then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.simulation.parameters import MultiAccumTable
from loaders.simulation.ramp import POWERS, ramp_noise

FloatArray = npt.NDArray[np.float64]

FULL_WELL = 100_000.0
"""Electrons that a pixel holds, where the image itself does not show at which rate its pixels saturate."""

_LEAST, _LOWEST = 50, 5.0
"""Fewest saturated pixels with a slope that show the limit, and the percentile of their rates that it is."""

_BRIGHT = POWERS.size - 1
"""Weights of the ramp fit of a pixel that is nearly saturated."""

_FAINT = 2
"""Weights of the ramp fit of a pixel that sees the sky."""


@dataclass(frozen=True)
class Saturation:
    """When pixels saturate.

    Parameters
    ----------
    limit
        Shape (n_resultant,): rate, in the unit of the image, from which a pixel is saturated in that
        resultant; descending.
    poisson, read
        Shape (n_resultant + 1,): variance of the slope through the first resultants, over that through all of
        them, as photons and reads make it; NaN where there are too few for a slope.
    """

    limit: FloatArray
    poisson: FloatArray
    read: FloatArray

    def usable(self, rate: FloatArray) -> npt.NDArray[np.int64]:
        """How many resultants of a pixel of some rate are not saturated."""
        return np.asarray(np.searchsorted(-self.limit, -rate, side="left"))


def saturation_of(table: MultiAccumTable, last_limit: float) -> Saturation:
    """Describe the saturation of the pixels of an exposure.

    Parameters
    ----------
    table
        The reads.
    last_limit
        Rate from which a pixel is saturated in the last resultant.
    """
    ends = np.array([reads[-1] for reads in table.read_pattern], dtype=float)
    noise = ramp_noise(table)
    poisson, read = noise.poisson[_BRIGHT], noise.read[_BRIGHT]
    return Saturation(last_limit * ends[-1] / ends, poisson / poisson[-1], read / read[-1])


def limit_of_image(rates: npt.NDArray[np.floating], table: MultiAccumTable, noise_per_rate: float) -> float:
    """Find the rate from which pixels saturate in the last resultant.

    Where enough pixels of the image are saturated and have a slope, that is a low percentile of their rates:
    most of them are little brighter than the limit. Otherwise the full well in the unit of the image, whose
    electrons `noise_per_rate` gives.

    Parameters
    ----------
    rates
        Shape (m,): rates of the pixels that saturated on the way, with no jump, and have a slope.
    table
        The reads.
    noise_per_rate
        Poisson variance per rate of a pixel that sees the sky, unit of the image.
    """
    if rates.size >= _LEAST:
        return float(np.percentile(rates, _LOWEST))
    electron = noise_per_rate / ramp_noise(table).poisson[_FAINT, -1]
    return float(FULL_WELL * electron / table.exposure_time)
