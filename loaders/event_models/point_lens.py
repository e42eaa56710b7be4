"""A point source behind a single lens: magnification, and fits whose sums are made in one pass.

The magnification is ``A = (u² + 2) / (u √(u² + 4))`` with ``u² = u_0² + ((t - t_0) / t_E)²`` (Paczyński 1986,
ApJ 304, 1), the flux ``source · A + blend`` with two fluxes for each optical element. Fits go by (t_0, ln
t_eff, ln u_0) with ``t_eff = u_0 t_E``, which are less degenerate than t_E itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loaders.event_models.point_lens_kernels import Descent, Points, descend, normal
from loaders.stored_curve.band import Band, FloatArray

_DARK = 0.1
"""How far below zero a blend may lie, as a share of the mean flux: what a wrong sky makes of it."""

_LOG_LIMITS = np.array([[-np.inf, np.log(1e-4), np.log(1e-4)], [np.inf, np.log(1e4), np.log(5.0)]])
"""Limits of (t_0, ln t_eff, ln u_0)."""


@dataclass(frozen=True)
class PointLensFit:
    """A fit of a point source behind a single lens.

    Parameters
    ----------
    t_0, u_0, t_E
        BJD (TDB); Einstein radii; days.
    source_flux, blend_flux
        Shape (n_band,), in the unit of the fluxes.
    chi2
        Chi-square of all points.
    n_point
        Number of points.
    covariance
        Shape (3, 3), of (t_0, u_0, t_E), the fluxes being fitted with them; NaN if it is singular.
    converged
        False if the last step still lowered chi-square.
    """

    t_0: float
    u_0: float
    t_E: float
    source_flux: FloatArray
    blend_flux: FloatArray
    chi2: float
    n_point: int
    covariance: FloatArray
    converged: bool


def magnification(u: FloatArray) -> FloatArray:
    """Magnification at separations u in Einstein radii, any shape."""
    u2 = np.asarray(u) ** 2
    return np.asarray((u2 + 2) / np.sqrt(u2 * (u2 + 4)))


def fit_point_lens(bands: Sequence[Band], t_0: float, t_eff: float, u_0: float) -> PointLensFit:
    """Fit t_0, u_0, t_E and the fluxes, from a first guess, by Levenberg's and Marquardt's method.

    Where the mean flux of an element is above zero, its blend is not below -0.1 of it: wide and shallow
    events would else become the tip of one that is far brighter, and its blend as far below zero.

    Parameters
    ----------
    bands
        The light curves; elements with fewer than three points are left out.
    t_0, t_eff, u_0
        Where to begin: BJD, days, Einstein radii.

    Returns
    -------
    PointLensFit

    Raises
    ------
    ValueError
        If no element has three points.
    """
    bands = [band for band in bands if len(band) > 2]
    if not bands:
        raise ValueError("a lens needs at least three points in an optical element")
    points, mean = _points(bands)
    begin = np.array([t_0, np.log(t_eff), np.log(u_0)])
    return _result(points, mean, descend(points, begin, *_LOG_LIMITS))


def _points(bands: Sequence[Band]) -> tuple[Points, FloatArray]:
    """The points of elements, each with three at least, and the mean flux of each."""
    weights = [1 / band.error**2 for band in bands]
    mean = np.array([np.average(b.flux, weights=w) for b, w in zip(bands, weights, strict=True)])
    flux = np.concatenate([band.flux - m for band, m in zip(bands, mean, strict=True)])
    weight = np.concatenate(weights)
    start = np.cumsum([0] + [len(band) for band in bands])
    least = np.where(mean > 0, -(1 + _DARK) * mean, -np.inf)
    time = np.concatenate([band.time for band in bands])
    return Points(time, flux, weight, start, least, float(weight @ flux**2)), mean


def _result(points: Points, mean: FloatArray, found: Descent) -> PointLensFit:
    """The fit in its usual parameters."""
    t_0, u_0 = float(found.parameter[0]), float(np.exp(found.parameter[2]))
    t_e = float(np.exp(found.parameter[1])) / u_0
    matrix, _ = normal(found.sums, found.flux, points.least)
    # (t_0, u_0, t_E) by (t_0, ln t_eff, ln u_0).
    jacobian = np.array([[1.0, 0, 0], [0, 0, u_0], [0, t_e, -t_e]])
    try:
        covariance = jacobian @ np.linalg.inv(matrix) @ jacobian.T
    except np.linalg.LinAlgError:
        covariance = np.full((3, 3), np.nan)
    source, blend = found.flux.T
    fluxes = source.copy(), blend + mean
    return PointLensFit(t_0, u_0, t_e, *fluxes, found.chi2, points.time.size, covariance, found.converged)
