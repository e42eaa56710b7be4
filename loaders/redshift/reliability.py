"""From the probability that the fit itself states to that with which it is right."""

from __future__ import annotations

import numpy as np

OFFSET, SLOPE = 0.0, 1.0
"""Of the logit: fitted to simulated grism spectra (`python -m bench spectra`); 0 and 1 change nothing."""

_MOST = 1 - 1e-6


def reliability(certain: float) -> float:
    """Probability that a redshift is right.

    Parameters
    ----------
    certain
        Probability of the class, times that the redshift is within 0.003 (1 + z) of the best.

    Returns
    -------
    float
        From 0 to 1.
    """
    within = float(np.clip(certain, 1 - _MOST, _MOST))
    logit = OFFSET + SLOPE * np.log(within / (1 - within))
    return float(1 / (1 + np.exp(-logit)))
