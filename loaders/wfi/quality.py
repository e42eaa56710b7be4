"""Which pixels photometry can use, and what an exposure is like as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import numpy.typing as npt
from roman_datamodels.dqflags import pixel

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]
FlagArray = npt.NDArray[np.uint32]


def _bits(*flags: pixel) -> int:
    """Join data quality flags."""
    return reduce(or_, (int(flag.value) for flag in flags))


FORBIDDING = _bits(
    pixel.DO_NOT_USE,
    pixel.DROPOUT,
    pixel.NON_SCIENCE,
    pixel.DEAD,
    pixel.NO_GAIN_VALUE,
    pixel.REFERENCE_PIXEL,
    pixel.OTHER_BAD_PIXEL,
)
"""Flags that forbid the use of a pixel.

SATURATED is not among them: it is set if any resultant saturated, and bright stars carry it although the
slope of their earlier resultants is good; where no slope could be fitted the error is 0. JUMP_DET is not
either: the ramp fit leaves the jump out. OUTLIER flags what differs from other exposures, as a variable star
does.
"""

SATURATED = _bits(pixel.SATURATED)
JUMP = _bits(pixel.JUMP_DET)

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation of a normal distribution over its median absolute deviation, 1 / Φ⁻¹(3/4)."""


def usable_pixels(
    data: Float32Array, err: Float32Array, var_poisson: Float32Array, dq: FlagArray
) -> BoolArray:
    """Tell the pixels that photometry can use.

    Parameters
    ----------
    data, err, var_poisson
        Shape (ny, nx): rate, its standard error and its Poisson variance.
    dq
        Shape (ny, nx): data quality bits.

    Returns
    -------
    ndarray
        Shape (ny, nx): True where rate, error and variance are finite, the latter two above 0, and no flag of
        `FORBIDDING` is set.
    """
    measured = np.isfinite(data)
    for noise in (err, var_poisson):
        measured &= (noise > 0) & (noise < np.inf)
    measured &= (dq & np.uint32(FORBIDDING)) == 0
    return measured


@dataclass(frozen=True)
class QualitySummary:
    """An exposure as a whole; fractions are of all its pixels.

    Parameters
    ----------
    fraction_usable
        Pixels that photometry can use.
    fraction_saturated
        Pixels flagged saturated in any resultant, usable or not.
    fraction_jump
        Pixels in which the ramp fit found a jump: cosmic rays.
    median_background
        Median rate of the usable pixels, DN/s; in a crowded field faint stars raise it above the sky.
    background_noise
        Robust standard deviation of the usable pixels about that median, DN/s: scaled median absolute
        deviation.
    """

    fraction_usable: float
    fraction_saturated: float
    fraction_jump: float
    median_background: float
    background_noise: float


def quality_summary(data: Float32Array, dq: FlagArray, usable: BoolArray) -> QualitySummary:
    """Summarise an exposure.

    Parameters
    ----------
    data
        Shape (ny, nx): rate, DN/s.
    dq
        Shape (ny, nx): data quality bits.
    usable
        Shape (ny, nx): as `usable_pixels` gives it, True somewhere.

    Raises
    ------
    ValueError
        If no pixel is usable.
    """
    rates = data[usable]
    if rates.size == 0:
        raise ValueError(f"no usable pixel among {usable.size}")
    median = np.median(rates)
    return QualitySummary(
        fraction_usable=rates.size / usable.size,
        fraction_saturated=_fraction(dq, SATURATED),
        fraction_jump=_fraction(dq, JUMP),
        median_background=float(median),
        background_noise=float(MAD_TO_SIGMA * np.median(np.abs(rates - median))),
    )


def _fraction(dq: FlagArray, bits: int) -> float:
    """Fraction of the pixels that have any of the bits."""
    return float(np.count_nonzero(dq & np.uint32(bits)) / dq.size)
