"""What images say of the fluxes and places of sources, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.psf.model import FloatArray


@dataclass(frozen=True)
class Estimate:
    """Flux at the present place and steps in x and y of the frame, and their variances, in one image.

    Shape (n, 3) each; NaN where not measured.
    """

    step: FloatArray
    variance: FloatArray


def combine(estimates: list[Estimate]) -> tuple[FloatArray, FloatArray]:
    """Means weighted by inverse variances, and their variances, shape (n, 3); NaN where there is none."""
    total = np.zeros_like(estimates[0].step)
    weights = np.zeros_like(total)
    for estimate in estimates:
        good = np.isfinite(estimate.step) & (estimate.variance > 0)
        weight = np.where(good, 1 / np.where(good, estimate.variance, 1.0), 0.0)
        total += weight * np.where(good, estimate.step, 0.0)
        weights += weight
    known = weights > 0
    divisor = np.where(known, weights, 1.0)
    return np.where(known, total / divisor, np.nan), np.where(known, 1 / divisor, np.nan)
