"""Offsets of bright stars from their catalogued positions, and the shapes of their images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.photometry.extended_fit import COLUMNS, Extended, Images, solve_extended
from loaders.photometry.joint_fit import JointFit
from loaders.photometry.psf_table import IntArray
from loaders.psf.model import FloatArray

_FLUX, _POSITION, _SHAPE = 1, 3, 6
"""Number of columns of a star with its flux, its position, and its shape."""

_MAX_MOVES = 5
_STILL = 1e-3
"""Largest step, in pixels, of the positions when they are said to be found."""

_LARGEST_ERROR = 0.1
"""Error in pixels of a position that is said not to be told from those of its neighbours."""

_BESIDE = 1.5
"""Distance in pixels within which a position may have taken the place of a flux."""

_LONGEST_STEP = 0.25
"""Longest step in pixels along an axis: beyond it the PSF is no longer linear in the position."""


@dataclass(frozen=True)
class Extras:
    """Offsets, shapes and what they do to the fluxes, NaN where not measured.

    Parameters
    ----------
    value, variance
        Shape (n, 5): x, y (pixels), size, e1, e2, and their marginal variances.
    flux_variance
        Shape (n,): variances of the fluxes, marginal over the positions if these were fitted.
    """

    value: FloatArray
    variance: FloatArray
    flux_variance: FloatArray


def measure_extras(fit: JointFit) -> Extras:
    """Measure offsets and shapes of the bright stars about the catalogued positions, fluxes being fitted."""
    columns = _wanted(fit)
    if not (columns > _FLUX).any():
        nothing = np.full((fit.count, COLUMNS - 1), np.nan)
        return Extras(nothing, nothing, fit.flux_variance)
    step, variance, _ = solve_columns(fit, columns)
    step[_beside_failures(fit, variance), 1:] = np.nan
    return Extras(step[:, 1:], variance[:, 1:], fit.flux_variance)


def fit_with_positions(fit: JointFit) -> Extras:
    """Fit fluxes and the positions of the bright stars; the stars of ``fit`` end at the fitted positions.

    A star whose position cannot be told from those of its neighbours, or runs away, keeps the catalogued one.
    """
    x, y = fit.x.copy(), fit.y.copy()
    columns = np.minimum(_wanted(fit), _POSITION)
    for _ in range(_MAX_MOVES):
        step, variance, _ = solve_columns(fit, columns)
        move = np.clip(np.nan_to_num(step[:, 1:3]), -_LONGEST_STEP, _LONGEST_STEP)
        lost = np.hypot(fit.x + move[:, 0] - x, fit.y + move[:, 1] - y) > fit.options.max_offset
        lost |= ~(np.sqrt(variance[:, :3]) < [np.inf, _LARGEST_ERROR, _LARGEST_ERROR]).all(axis=1)
        lost = (lost | _beside_failures(fit, variance)) & (columns > _FLUX)
        columns[lost] = _FLUX
        move[lost] = np.column_stack([x - fit.x, y - fit.y])[lost]
        if not lost.any() and np.abs(move).max(initial=0.0) < _STILL:
            break
        fit.move(move[:, 0], move[:, 1])
        fit.run()
    else:
        variance = solve_columns(fit, columns).variance
    return _with_offsets(fit, np.column_stack([fit.x - x, fit.y - y]), variance)


def _with_offsets(fit: JointFit, offset: FloatArray, variance: FloatArray) -> Extras:
    """Shapes at the fitted positions, with the offsets and variances that the position fit found."""
    extras = measure_extras(fit)
    fitted = np.isfinite(variance[:, 1])
    value, error = extras.value.copy(), extras.variance.copy()
    value[:, :2] = np.where(fitted[:, None], offset, np.nan)
    error[:, :2] = np.where(fitted[:, None], variance[:, 1:3], np.nan)
    return Extras(value, error, variance[:, 0])


def _beside_failures(fit: JointFit, variance: FloatArray) -> npt.NDArray[np.bool_]:
    """Stars next to one whose flux was lost: their positions and its flux stand for the same light."""
    failed = np.flatnonzero(np.isnan(variance[:, 0]) & np.isfinite(fit.flux_variance))
    beside = np.zeros(fit.count, dtype=bool)
    if failed.size:
        place = np.column_stack([fit.x, fit.y])
        distance, _ = cKDTree(place[failed]).query(place, distance_upper_bound=_BESIDE)
        beside[np.isfinite(distance)] = True
    return beside


def _wanted(fit: JointFit) -> IntArray:
    """Number of columns that the signal-to-noise ratio of each star asks for."""
    snr = fit.flux / np.sqrt(np.where(fit.flux_variance > 0, fit.flux_variance, np.inf))
    bright = np.where(snr >= fit.options.position_snr, _POSITION, _FLUX)
    return np.where(snr >= fit.options.shape_snr, _SHAPE, bright).astype(np.int64)


class Solution(NamedTuple):
    """One Gauss-Newton step, NaN where a column is not asked for or cannot be told from others.

    Parameters
    ----------
    step, variance
        Shape (n, 6): flux, x, y (pixels), size, e1, e2, and their marginal variances.
    at_place
        Shape (n,): variance of the flux if the star's own position is known and all else is not. The square
        of the flux over it is by how much chi-square grows without the star, all others being fitted again.
    """

    step: FloatArray
    variance: FloatArray
    at_place: FloatArray


def solve_columns(fit: JointFit, columns: IntArray, anchor: FloatArray | None = None) -> Solution:
    """One Gauss-Newton step of all columns, and their marginal variances.

    Parameters
    ----------
    fit
        The joint fit, run.
    columns
        Shape (n,): columns of each star, 1 (flux), 3 (and position) or 6 (and shape).
    anchor
        Shape (n, 3): what is known of the positions beforehand, see `Extended`; None for nothing.

    Returns
    -------
    Solution
    """
    step = np.full((fit.count, COLUMNS), np.nan, dtype=np.float32)
    variance = np.full((fit.count, COLUMNS), np.nan, dtype=np.float32)
    known = np.zeros((fit.count, 3)) if anchor is None else anchor
    stars = Extended(fit.x, fit.y, fit.flux, columns, fit.cell, known)
    images = Images(fit.weight, fit.weight * fit.residual)
    at_place = np.full(fit.count, np.nan, dtype=np.float32)
    arguments = (fit.tiles, (stars, fit.stamps), fit.psf, images, (step, variance, at_place))
    fit.workers.run(solve_extended, fit.tiles.margin.size, *arguments)
    return Solution(step.astype(float), variance.astype(float), at_place.astype(float))
