"""What exposures can't tell, and how the catalog decides it.

Let every star have, in addition, corrections that are linear in its place on the sky: of position, of
motion, of parallax. At each exposure all stars then move by a linear function of their place, which is what
a shift and linear terms of the exposure look like. So of each of the five parameters a linear field (three
numbers) is undetermined by the exposures, 15 in all; with shifts alone the mean of each, 5 in all. (Fields
of parallax are degenerate as far as the factors are alike all over the piece of the sky, which they are to
2e-3.) What is quadratic in place, or in time but for the parallax, is determined.

These fields are taken from the catalog: stars whose catalogued motions and parallaxes have errors (anchors,
such as Gaia's) keep them on the average. Where there are too few, all stars that make the frame do: then
motions and parallaxes are relative to their mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_CUT, _ROUNDS = 6.0, 10


@dataclass(frozen=True)
class Anchors:
    """What the catalog says of the corrections to the five parameters of m stars.

    Parameters
    ----------
    value
        Shape (m, 5): 0 where offsets are against what is catalogued.
    error
        Shape (m, 5): of the catalogued parameters, mas and mas/yr; NaN where unknown.
    fewest
        Stars with errors from which they are the anchors of a parameter.
    """

    value: FloatArray
    error: FloatArray
    fewest: int = 10

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Anchors of each parameter, shape (5,); 0 where there are too few."""
        known = np.isfinite(self.error).sum(axis=0)
        return np.where(known >= self.fewest, known, 0)


def gauge_field(
    value: FloatArray, error: FloatArray, plane: FloatArray, anchors: Anchors, n_term: int
) -> FloatArray:
    """Fields by which corrections differ from what anchors say.

    Parameters
    ----------
    value, error
        Shape (m, 5): corrections and their errors; stars with NaN do not count.
    plane
        Shape (m, 2): places of the stars, arcmin.
    anchors
        What the catalog says of the same stars.
    n_term
        1 for means, 3 for linear fields.

    Returns
    -------
    ndarray
        Shape (n_term, 5): to be taken off the corrections.
    """
    design = np.column_stack([np.ones(len(plane)), plane])[:, :n_term]
    field = np.zeros((n_term, 5))
    for p, count in enumerate(anchors.counts):
        difference = value[:, p] - anchors.value[:, p]
        sigma = np.hypot(error[:, p], anchors.error[:, p]) if count else np.ones(len(plane))
        good = np.isfinite(difference) & np.isfinite(sigma)
        if good.sum() >= n_term:
            field[:, p] = _robust_line(design[good], difference[good], sigma[good])
    return field


def zero_errors(error: FloatArray, anchors: Anchors) -> FloatArray:
    """Errors of the mean of the anchors, which all stars of a solution share.

    Parameters
    ----------
    error
        Shape (m, 5): of the corrections.
    anchors
        What the catalog says.

    Returns
    -------
    ndarray
        Shape (5,): mas and mas/yr; NaN for a parameter without anchors.
    """
    weight = np.nan_to_num((error**2 + anchors.error**2) ** -1.0).sum(axis=0)
    known = (anchors.counts > 0) & (weight > 0)
    return np.where(known, np.where(known, weight, 1.0) ** -0.5, np.nan)


def _robust_line(design: FloatArray, y: FloatArray, sigma: FloatArray) -> FloatArray:
    """Coefficients by Tukey's biweight, its scale the median of absolute residuals."""
    center: FloatArray = np.zeros(design.shape[1])
    center[0] = np.median(y)
    for _ in range(_ROUNDS):
        pull = np.abs(y - design @ center) / sigma
        limit = _CUT * max(float(np.median(pull)) / 0.6745, 1e-12)
        weight = np.clip(1 - (pull / limit) ** 2, 0, None)
        root = weight / sigma
        found = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        center = np.asarray(found, dtype=np.float64)
    return center
