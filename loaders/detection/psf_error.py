"""By how much the PSF is wrong, as the stars that were fitted with it say."""

from __future__ import annotations

import numpy as np

from loaders.detection.measure import Detections
from loaders.photometry.diagnostics import CORE_RADIUS
from loaders.photometry.flags import PhotometryFlag

_ALONE, _BRIGHT, _FEWEST = 0.3, 100.0, 10
"""Most crowding, least signal-to-noise ratio, and least number of stars that are asked."""

_SPLIT, _CERTAIN = 0.5, 10.0
"""Share of the sources beside another one from which these are no chance (at 0.1 stars a pixel a quarter has
another within a pixel), and the least signal-to-noise ratio of those asked: two that share the light of one
star have little of it, however bright it is."""

_FITTED = 3.0
"""Flux and position of a star."""


def measured_psf_error(found: Detections) -> float:
    """Error of the PSF in the cores of stars, as a fraction of their light.

    What a wrong PSF leaves grows with the star, its noise with the root of it only: the reduced chi-square of
    the core is ``1 + (error × signal-to-noise ratio)² / degrees of freedom``.

    Parameters
    ----------
    found
        Sources of a search.

    Returns
    -------
    float
        Median of the bright stars that stand by themselves; 0 where they are fewer than 10.
    """
    snr = found.signal_to_noise
    with np.errstate(invalid="ignore"):
        asked = (snr > _BRIGHT) & (found.crowding < _ALONE) & np.isfinite(found.reduced_chi2)
    if asked.sum() < _FEWEST:
        return 0.0
    freedom = np.pi * CORE_RADIUS**2 - _FITTED
    excess = np.maximum(found.reduced_chi2[asked] - 1, 0) * freedom
    return float(np.median(np.sqrt(excess) / snr[asked]))


def mostly_split(found: Detections) -> bool:
    """Whether most stars were taken for two: what is left of them does not say how wrong the PSF is.

    Parameters
    ----------
    found
        Sources of a search.

    Returns
    -------
    bool
        False where there are fewer than 10 that stand out well.
    """
    with np.errstate(invalid="ignore"):
        asked = found.signal_to_noise > _CERTAIN
    if asked.sum() < _FEWEST:
        return False
    return bool(np.mean((found.flags[asked] & PhotometryFlag.BLENDED) > 0) > _SPLIT)
