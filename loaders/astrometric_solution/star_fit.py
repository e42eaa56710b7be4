"""Five parameters of every star by robust least squares.

The offset of a star from where the catalog expects it, east and north, at the time t after the epoch of
reference is

    x = Δα* + t Δμα* + F_α Δϖ        y = Δδ + t Δμδ + F_δ Δϖ

with the parallax factors of the telescope's own place. Normal equations are sums over points, so that a star
of 40,000 exposures takes no more memory than one of ten. Weights are iterated (see `kernels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.kernels import (
    biweights,
    distances,
    huber_weights,
    inverse_of,
    scale_of,
    variance_factor,
)
from loaders.astrometric_solution.points import ExposureTimes, StarPlaces, StarPoints
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

#: The parameters in Gaia's order.
PARAMETERS = ("ra", "dec", "parallax", "pm_ra", "pm_dec")

#: What a solution is, by the number in ``Solutions.status``.
STATUSES = ("five_parameters", "with_priors", "too_few_epochs")
FIVE_PARAMETERS, WITH_PRIORS, TOO_FEW_EPOCHS = range(3)

#: Rounds of Huber's weights before those of Tukey's.
HUBER_ROUNDS = 8


@dataclass(frozen=True)
class FitOptions:
    """How stars are fitted.

    Parameters
    ----------
    cut
        Distance in units of errors from which a point has no weight.
    fewest
        Points that a solution needs.
    parallax_width, motion_width
        Errors, mas and mas/yr, from which the data are helped by a prior of this width about what the catalog
        says: wider than the stars of the bulge and of the disc before it differ.
    rounds
        Most iterations of the weights.
    """

    cut: float = 6.0
    fewest: int = 6
    parallax_width: float = 1.0
    motion_width: float = 10.0
    rounds: int = 25


@dataclass(frozen=True)
class Solutions:
    """Corrections to the catalogued parameters of m stars, in the order of `PARAMETERS`.

    Parameters
    ----------
    value
        Shape (m, 5): mas and mas/yr; NaN with too few points.
    covariance
        Shape (m, 5, 5): of the scatter where this is larger than errors say; NaN with too few points.
    reduced_chi2
        Shape (m,): of the points with weight, by the errors as they were given.
    n_epoch, n_rejected
        Shape (m,): points with weight, and without.
    status
        Shape (m,): index of `STATUSES`.
    """

    value: FloatArray
    covariance: FloatArray
    reduced_chi2: FloatArray
    n_epoch: npt.NDArray[np.int64]
    n_rejected: npt.NDArray[np.int64]
    status: npt.NDArray[np.int64]

    @property
    def error(self) -> FloatArray:
        """Standard errors, shape (m, 5)."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2)))


def fit_stars(
    points: StarPoints,
    times: ExposureTimes,
    places: StarPlaces,
    terms: FloatArray,
    ref_epoch: float,
    options: FitOptions,
) -> Solutions:
    """Fit the five parameters of stars, given where each exposure lies.

    Parameters
    ----------
    points, times, places
        What was measured, when, and where.
    terms
        Shape (n, 3, 2): for each exposure the shift (mas), and its change eastwards and northwards
        (mas/arcmin), of either coordinate; points of an exposure with NaN do not count.
    ref_epoch
        Julian year in TDB, to which the corrections of positions belong.
    options
        How.
    """
    m = len(points)
    found = Solutions(
        np.full((m, 5), np.nan),
        np.full((m, 5, 5), np.nan),
        np.full(m, np.nan),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.full(m, TOO_FEW_EPOCHS, np.int64),
    )
    widths = (options.parallax_width, options.motion_width)
    rule = (options.cut, options.fewest, *widths, options.rounds, variance_factor(options.cut))
    _fit_all(
        (points.start, points.exposure, points.offset, points.error),
        (times.year - ref_epoch, times.observer, terms),
        (places.factor_row, places.plane),
        rule,
        (found.value, found.covariance, found.reduced_chi2),
        (found.n_epoch, found.n_rejected, found.status),
    )
    return found


def joined(parts: Sequence[Solutions]) -> Solutions:
    """Solutions of all parts, one at least."""
    names = [one.name for one in fields(Solutions)]
    return Solutions(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def expected_offsets(
    value: FloatArray, points: StarPoints, times: ExposureTimes, places: StarPlaces, ref_epoch: float
) -> FloatArray:
    """Offsets that parameters make at each point, mas, shape (k, 2); NaN for stars without solution."""
    star, year = points.star, times.year[points.exposure] - ref_epoch
    factor = np.einsum("kcx,kx->kc", places.factor_row[star], times.observer[points.exposure])
    one = value[star]
    return np.asarray(one[:, :2] + factor * one[:, 2:3] + year[:, None] * one[:, 3:])


@compiled()
def _fit_all(points, times, places, rule, numbers, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fit one star after the other into the arrays that are given last."""
    start, exposure, offset, error = points
    for i in range(start.size - 1):
        some = slice(start[i], start[i + 1])
        time, factor, y, e = _gather(
            exposure[some], offset[some], error[some], times, (places[0][i], places[1][i])
        )
        if time.size < rule[1]:
            counts[0][i] = time.size
            continue
        weight = _robust_weights(time, factor, y, e, rule)
        _finish((time, factor, y, e), weight, rule, i, numbers, counts)


@compiled()
def _gather(exposure, offset, error, times, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Times, parallax factors, offsets without those of exposures, and errors of the points of a star."""
    year, observer, terms = times
    row, plane = place
    time, factor = np.empty(exposure.size), np.empty((exposure.size, 2))
    y, e = np.empty((exposure.size, 2)), np.empty((exposure.size, 2))
    n = 0
    for k in range(exposure.size):
        j = exposure[k]
        if np.isnan(terms[j, 0, 0]):
            continue
        time[n] = year[j]
        for c in range(2):
            factor[n, c] = (
                row[c, 0] * observer[j, 0] + row[c, 1] * observer[j, 1] + row[c, 2] * observer[j, 2]
            )
            frame = terms[j, 0, c] + terms[j, 1, c] * plane[0] + terms[j, 2, c] * plane[1]
            y[n, c], e[n, c] = offset[k, c] - frame, error[k, c]
        n += 1
    return time[:n], factor[:n], y[:n], e[:n]


@compiled()
def _robust_weights(time, factor, y, e, rule):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Weights of points, iterated from plain least squares; priors keep every round regular."""
    prior = _prior(rule)
    weight = np.ones(time.size)
    for number in range(rule[4]):
        matrix, right = _normal(time, factor, y, e, weight)
        value = np.dot(inverse_of(matrix + prior)[0], right)
        distance = distances(_residual(time, factor, y, value), e)
        limit = rule[0] * scale_of(distance)
        if number < HUBER_ROUNDS:
            weight = huber_weights(distance, limit)
            continue
        new = biweights(distance, limit)
        settled = np.max(np.abs(new - weight)) < 1e-3
        weight = new
        if settled:
            break
    return weight


@compiled()
def _prior(rule):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Weights of what is known before: nothing of positions."""
    out = np.zeros((5, 5))
    out[2, 2] = rule[2] ** -2.0
    out[3, 3] = out[4, 4] = rule[3] ** -2.0
    return out


@compiled()
def _residual(time, factor, y, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """What parameters leave of offsets."""
    out = np.empty(y.shape)
    for k in range(time.size):
        for c in range(2):
            out[k, c] = y[k, c] - value[c] - factor[k, c] * value[2] - time[k] * value[3 + c]
    return out


@compiled()
def _normal(time, factor, y, e, weight):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Normal equations of the five parameters."""
    matrix, right = np.zeros((5, 5)), np.zeros(5)
    for c in range(2):
        for k in range(time.size):
            v = weight[k] / e[k, c] ** 2
            f, t = factor[k, c], time[k]
            matrix[c, c] += v
            matrix[c, 2] += v * f
            matrix[c, 3 + c] += v * t
            matrix[2, 2] += v * f * f
            matrix[2, 3 + c] += v * f * t
            matrix[3 + c, 3 + c] += v * t * t
            right[c] += v * y[k, c]
            right[2] += v * f * y[k, c]
            right[3 + c] += v * t * y[k, c]
    for i in range(5):
        for j in range(i):
            matrix[i, j] = matrix[j, i]
    return matrix, right


@compiled()
def _finish(data, weight, rule, i, numbers, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Store the solution with given weights, helped by priors where the data leave too much open."""
    time, factor, y, e = data
    used = (weight > 0).astype(np.float64)
    n = int(used.sum())
    counts[0][i], counts[1][i] = n, time.size - n
    if n < rule[1]:
        return
    matrix, right = _normal(time, factor, y, e, weight)
    information = _normal(time, factor, y, e, used)[0]
    prior = _prior(rule)
    helped = np.dot(inverse_of(matrix + prior)[0], right)
    residual = _residual(time, factor, y, helped)
    free = max(2 * n - 5, 1)
    chi2 = np.sum(used * distances(residual, e) ** 2) / free
    growth = rule[5] * max(chi2, 1.0)
    covariance, regular = inverse_of(information / growth)
    largest = max(covariance[3, 3], covariance[4, 4])
    alone = regular and covariance[2, 2] <= rule[2] ** 2 and largest <= rule[3] ** 2
    if alone:
        value = np.dot(inverse_of(matrix)[0], right)
    else:
        share = n / weight.sum() / growth
        value = np.dot(inverse_of(matrix * share + prior)[0], right * share)
        covariance = inverse_of(information / growth + prior)[0]
    residual = _residual(time, factor, y, value)
    final = np.sum(used * distances(residual, e) ** 2) / free
    if alone:
        covariance *= max(final, 1.0) / max(chi2, 1.0)
    for j in range(5):
        numbers[0][i, j] = value[j]
        for k in range(5):
            numbers[1][i, j, k] = covariance[j, k]
    numbers[2][i] = final
    counts[2][i] = 0 if alone else 1
