"""Relative proper motion by the chromatic shift of the place of the light.

Source and lens, too close to be told apart, have their common light at the mean of their places weighted by
fluxes. With the share f of the lens in the light without magnification this is ``f Δθ`` from the source, and
as they have different colours it differs between elements by ``(f_b - f_main) Δθ``, with ``Δθ = μ (t - t₀)``
(Bennett et al. 2006, ApJ 647, L171; Bennett, Anderson & Gaudi 2007, ApJ 660, 781, section 2). The place in
the main element moves as a star does, with five parameters. Other elements are off by constants of their own
in each orientation of the telescope: what PSF and distortion do to light of that colour. So it takes two
seasons of an orientation. Of a lens alone these constants are none: light that is there at t₀ already is
something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from loaders.astrometric_solution.kernels import (
    biweights,
    distances,
    huber_weights,
    scale_of,
    variance_factor,
)
from loaders.relative_motion.outcome import CHROMATIC_SHIFT, RelativeMotion, status_of
from loaders.relative_motion.shares import Shares

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ChromaticOptions:
    """How it is fitted.

    Parameters
    ----------
    cut, huber_rounds, rounds
        Robust weights: see `loaders.astrometric_solution.star_fit`.
    fewest
        Exposures in an element and season that count.
    floor
        What constants of elements are off by without any other star, mas: places of stars with other colours
        than those that place exposures.
    """

    cut: float = 6.0
    huber_rounds: int = 8
    rounds: int = 30
    fewest: int = 5
    floor: float = 0.1


@dataclass(frozen=True)
class ColourPoints:
    """Places of the light of an event without magnification, k points.

    Parameters
    ----------
    year
        Shape (k,): Julian year in TDB.
    factor
        Shape (k, 2): parallax factors east and north.
    element
        Shape (k,): index into the elements of the shares.
    season, orientation
        Shape (k,): numbers.
    offset, error
        Shape (k, 2): east (with cos dec) and north, mas; without what exposures are off by.
    """

    year: FloatArray
    factor: FloatArray
    element: IntArray
    season: IntArray
    orientation: IntArray
    offset: FloatArray
    error: FloatArray

    def take(self, chosen: npt.NDArray[np.generic]) -> ColourPoints:
        """Some of the points."""
        return ColourPoints(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def chromatic_motion(
    points: ColourPoints, shares: Shares, t_0: float, options: ChromaticOptions | None = None
) -> RelativeMotion:
    """Relative proper motion of source and lens.

    Parameters
    ----------
    points
        Places of the light.
    shares
        Shares of the blend.
    t_0
        Julian year at which source and lens were at one place.
    options
        How.
    """
    options = options or ChromaticOptions()
    main = len(shares.elements) - 1
    points, n_season = _that_count(points, main, options.fewest)
    others = np.unique(points.element[points.element != main])
    empty = RelativeMotion(CHROMATIC_SHIFT, "few_epochs", n_season, points.year.size)
    if not others.size or not (points.element == main).any():
        return empty
    if n_season < 2:
        return replace(empty, status="first_season")
    groups = _groups(points, main)
    fit = _Fit.of(points, shares.difference[0], t_0, groups, options)
    if fit is None:
        return replace(empty, status="fit_failed")
    motion, covariance = fit.motion, fit.covariance[-2:, -2:] + _of_shares(fit, shares, others)
    chi2_zero = float(motion @ np.linalg.solve(covariance, motion))
    start, of_start = fit.value[5:-2], fit.covariance[5:-2, 5:-2] + options.floor**2 * np.eye(2 * len(groups))
    chi2_start = float(start @ np.linalg.solve(of_start, start))
    difference, of_difference = shares.difference
    largest = int(others[np.argmax(np.abs(difference[others]))])
    return RelativeMotion(
        CHROMATIC_SHIFT,
        status_of(chi2_zero, float(chdtrc(start.size, chi2_start))),
        n_season,
        int((fit.weight > 0).sum()),
        motion,
        covariance,
        float(points.year.mean()),
        (*(shares.elements[k] for k in others), shares.elements[main]),
        chi2_zero,
        chi2_start / start.size,
        fit.reduced_chi2,
        (float(difference[largest]), float(np.sqrt(of_difference[largest, largest]))),
        True,
    )


def _that_count(points: ColourPoints, main: int, fewest: int) -> tuple[ColourPoints, int]:
    """Points of elements with enough of them in the season, and the most seasons of an orientation."""
    good = np.zeros(points.year.size, dtype=bool)
    seasons: dict[int, set[int]] = {}
    for orientation, season, element in set(
        zip(points.orientation.tolist(), points.season.tolist(), points.element.tolist(), strict=True)
    ):
        mine = (points.season == season) & (points.element == element) & (points.orientation == orientation)
        if mine.sum() >= fewest:
            good |= mine
            if element != main:
                seasons.setdefault(orientation, set()).add(season)
    return points.take(good), max((len(some) for some in seasons.values()), default=0)


def _groups(points: ColourPoints, main: int) -> Sequence[tuple[int, int]]:
    """Elements beside the main one and orientations that have constants."""
    some = zip(points.element.tolist(), points.orientation.tolist(), strict=True)
    return sorted({pair for pair in some if pair[0] != main})


@dataclass(frozen=True)
class _Fit:
    """A robust linear fit; ``rows`` and ``y`` are in units of errors, shape (2 k, p) and (2 k,)."""

    rows: FloatArray
    y: FloatArray
    lever: FloatArray
    error: FloatArray
    element: IntArray
    weight: FloatArray
    value: FloatArray
    covariance: FloatArray
    reduced_chi2: float

    @property
    def motion(self) -> FloatArray:
        """Motion east and north."""
        return self.value[-2:]

    @classmethod
    def of(
        cls,
        points: ColourPoints,
        difference: FloatArray,
        t_0: float,
        groups: Sequence[tuple[int, int]],
        options: ChromaticOptions,
    ) -> _Fit | None:
        """Fit; None where equations are singular."""
        lever = points.year - t_0
        rows = _design(points, np.append(difference, 0.0)[points.element] * lever, groups)
        rows = (rows / points.error[:, :, None]).reshape(-1, rows.shape[-1])
        y = (points.offset / points.error).ravel()
        weight, value = np.ones(lever.size), np.zeros(rows.shape[1])
        for number in range(options.rounds):
            solved = _solve(rows, y, weight)
            if solved is None:
                return None
            value = solved
            distance = distances((y - rows @ value).reshape(-1, 2), np.ones(points.error.shape))
            limit = options.cut * scale_of(distance)
            weight = (huber_weights if number < options.huber_rounds else biweights)(distance, limit)
        used = weight > 0
        free = max(2 * int(used.sum()) - value.size, 1)
        chi2 = float((distance[used] ** 2).sum() / free)
        normal = rows[np.repeat(used, 2)].T @ rows[np.repeat(used, 2)]
        grown = variance_factor(options.cut) * max(chi2, 1.0)
        covariance = np.asarray(np.linalg.inv(normal) * grown, dtype=np.float64)
        return cls(rows, y, lever, points.error, points.element, weight, value, covariance, chi2)


def _design(points: ColourPoints, lever: FloatArray, groups: Sequence[tuple[int, int]]) -> FloatArray:
    """Rows of the equations, shape (k, 2, p): five parameters, constants of groups, relative motion."""
    k, n = points.year.size, 5 + 2 * len(groups) + 2
    rows = np.zeros((k, 2, n))
    age = points.year - points.year.mean()
    for axis in range(2):
        rows[:, axis, axis] = 1.0
        rows[:, axis, 2] = points.factor[:, axis]
        rows[:, axis, 3 + axis] = age
        for g, (element, orientation) in enumerate(groups):
            mine = (points.element == element) & (points.orientation == orientation)
            rows[:, axis, 5 + 2 * g + axis] = mine
        rows[:, axis, n - 2 + axis] = lever
    return rows


def _solve(rows: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray | None:
    """Least squares with weights of points; None where singular."""
    both = np.repeat(weight, 2)
    normal = (rows * both[:, None]).T @ rows
    scale = np.sqrt(np.diag(normal))
    if not (scale > 0).all() or np.linalg.cond(normal / np.outer(scale, scale)) > 1e12:
        return None
    return np.asarray(np.linalg.solve(normal, rows.T @ (both * y)))


def _of_shares(fit: _Fit, shares: Shares, others: IntArray) -> FloatArray:
    """Covariance of the motion that errors of the shares make, shape (2, 2), by differences."""
    difference, covariance = shares.difference
    slope = np.zeros((2, difference.size))
    for k in others.tolist():
        step = max(float(np.sqrt(covariance[k, k])), 1e-6)
        rows = fit.rows.copy()
        more = np.where(fit.element == k, step * fit.lever, 0.0)[:, None] / fit.error
        rows.reshape(-1, 2, rows.shape[1])[:, 0, -2] += more[:, 0]
        rows.reshape(-1, 2, rows.shape[1])[:, 1, -1] += more[:, 1]
        solved = _solve(rows, fit.y, fit.weight)
        slope[:, k] = 0.0 if solved is None else (solved[-2:] - fit.motion) / step
    return np.asarray(slope @ covariance @ slope.T)
