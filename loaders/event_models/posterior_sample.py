"""Draws of the same weight from a posterior, with the fluxes that go with them, as they are stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loaders.event_models.lens_fit import Points, joint_covariance, solve_fluxes
from loaders.event_models.posterior import Samples
from loaders.stored_curve.band import FloatArray

NUMBER = 500
"""Draws of a model that are kept: quantiles of 16 % are good to a tenth of the width."""

_TRIES = 20
"""Times that fluxes are drawn before those of sources below zero are left at their best."""


def alike(samples: Samples, number: int, rng: np.random.Generator) -> FloatArray:
    """Draws of the same weight from weighted ones, shape (number, p).

    Each draw is there as often as its weight says, to less than one (systematic resampling: Kitagawa 1996,
    J. Comput. Graph. Stat. 5, 1), in an order that says nothing.
    """
    at = (np.arange(number) + rng.uniform()) / number
    total = np.cumsum(samples.weight)
    chosen = np.searchsorted(total / total[-1], at, side="right")
    return np.asarray(samples.parameter[rng.permutation(np.minimum(chosen, total.size - 1))])


def fluxes(
    points: Points,
    curves: Callable[[FloatArray], FloatArray],
    parameter: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw the fluxes of the sources and the blend for draws of the other parameters.

    Given these the fluxes are linear, so that they are normal about their best, with sources not below zero.

    Parameters
    ----------
    points
        The light curves.
    curves
        Magnifications, shape (n_source, n), of parameters (p,).
    parameter
        Shape (m, p): draws; equal ones beside each other are computed once.
    rng
        Random numbers.

    Returns
    -------
    array of shape (m, n_band, n_source + 1)
        The blend last.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the fluxes of an element are not determined.
    """
    same, which = np.unique(parameter, axis=0, return_inverse=True)
    best, root = zip(*(_known(points, curves(one)) for one in same), strict=True)
    out = [_drawn(best[k], root[k], rng) for k in which.ravel()]
    return np.array(out).reshape(parameter.shape[0], len(points.names), -1)


def _known(points: Points, curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Best fluxes, shape (n_band, n_source + 1), and the root of their covariance."""
    flux, _ = solve_fluxes(points, curves)
    none = np.empty((0, *curves.shape))
    covariance = joint_covariance(points, (curves, flux), none, np.empty((0, 0)))
    return flux, np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _drawn(best: FloatArray, root: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Fluxes, none of a source below zero."""
    for _ in range(_TRIES):
        flux = best + (root @ rng.standard_normal(best.size)).reshape(best.shape)
        if (flux[:, :-1] >= 0).all():
            return np.asarray(flux)
    return best
