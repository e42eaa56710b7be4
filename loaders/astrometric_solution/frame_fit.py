"""Where exposures lie: shifts and linear terms, from stars whose motion is known for the moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.astrometric_solution.kernels import biweights, distances, huber_weights, inverse_of, scale_of
from loaders.astrometric_solution.points import StarPlaces, StarPoints
from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]

#: Distance in units of errors from which a star says nothing of an exposure, and rounds of weights: of
#: Huber's, and in all.
CUT, HUBER_ROUNDS, ROUNDS = 6.0, 4, 10


@dataclass(frozen=True)
class Frames:
    """Where n exposures lie.

    Parameters
    ----------
    terms
        Shape (n, 3, 2): shift (mas), change eastwards and northwards (mas/arcmin) of the offsets east and
        north; NaN where too few stars say so.
    n_star
        Shape (n,): stars with weight.
    rms
        Shape (n,): of what is left of their offsets, a coordinate, mas; NaN where there are no terms.
    """

    terms: FloatArray
    n_star: npt.NDArray[np.int64]
    rms: FloatArray


def no_frames(n: int) -> Frames:
    """Exposures that are taken to lie where the catalog says."""
    return Frames(np.zeros((n, 3, 2)), np.zeros(n, np.int64), np.full(n, np.nan))


def fit_frames(
    points: StarPoints, residual: FloatArray, places: StarPlaces, n_exposure: int, n_term: int, fewest: int
) -> Frames:
    """Fit where exposures lie.

    Parameters
    ----------
    points
        Points of the stars that make the frame.
    residual
        Shape (k, 2): offsets less those that the stars' parameters make, mas; points with NaN do not count.
    places
        Where the stars are.
    n_exposure, n_term
        Number of exposures, and 1 for shifts alone or 3 with linear terms.
    fewest
        Stars that an exposure needs.
    """
    known = np.flatnonzero(np.isfinite(residual).all(axis=1))
    order = known[np.argsort(points.exposure[known], kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(points.exposure[order], minlength=n_exposure))])
    design = np.column_stack([np.ones(order.size), places.plane[points.star[order]]])[:, :n_term]
    terms = np.full((n_exposure, 3, 2), np.nan)
    count, rms = np.zeros(n_exposure, np.int64), np.full(n_exposure, np.nan)
    data = (np.ascontiguousarray(design), residual[order], points.error[order])
    _fit_all(start.astype(np.int64), data, fewest, terms, count, rms)
    return Frames(terms, count, rms)


@compiled()
def _fit_all(start, data, fewest, terms, count, rms):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Fit one exposure after the other into the arrays that are given last."""
    n_term = data[0].shape[1]
    for j in range(start.size - 1):
        if start[j + 1] - start[j] < fewest:
            continue
        some = slice(start[j], start[j + 1])
        design, y, e = data[0][some], data[1][some], data[2][some]
        value, weight, regular = _fit_one(design, y, e)
        count[j] = np.sum(weight > 0)
        if regular and count[j] >= fewest:
            terms[j] = 0.0
            for k in range(n_term):
                terms[j, k, 0], terms[j, k, 1] = value[k, 0], value[k, 1]
            left = (y - np.dot(design, value))[weight > 0]
            rms[j] = np.sqrt(np.mean(left**2))


@compiled()
def _fit_one(design, y, e):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Terms of an exposure, shape (n_term, 2), the weights of its stars, and whether these suffice."""
    n_term = design.shape[1]
    value = np.zeros((n_term, 2))
    for c in range(2):
        value[0, c] = np.median(y[:, c])
    weight = np.ones(y.shape[0])
    for number in range(ROUNDS):
        distance = distances(y - np.dot(design, value), e)
        limit = CUT * scale_of(distance)
        weight = huber_weights(distance, limit) if number < HUBER_ROUNDS else biweights(distance, limit)
        for c in range(2):
            matrix, right = np.zeros((n_term, n_term)), np.zeros(n_term)
            for k in range(y.shape[0]):
                v = weight[k] / e[k, c] ** 2
                for a in range(n_term):
                    right[a] += v * design[k, a] * y[k, c]
                    for b in range(n_term):
                        matrix[a, b] += v * design[k, a] * design[k, b]
            inverse, regular = inverse_of(matrix)
            if not regular:
                return value, weight, False
            solution = np.dot(inverse, right)
            for a in range(n_term):
                value[a, c] = solution[a]
    return value, weight, True
