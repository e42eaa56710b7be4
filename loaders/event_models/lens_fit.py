"""Fits of any magnification curve to light curves as data, and their fluxes, which linear algebra gives.

A model gives the magnification of its sources at the times of each element; the flux is ``Σ source_k · A_k +
blend`` with fluxes of each element of its own, which are eliminated (variable projection; Golub & Pereyra
1973, SIAM J. Numer. Anal. 10, 413). How the other parameters move is in `loaders.event_models.descent`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag

from loaders.stored_curve.band import Band, FloatArray

Magnification = Callable[[FloatArray, FloatArray], FloatArray]
"""Magnifications, shape (n_source, n), of parameters (p,) at times (n,)."""

Slopes = Callable[[FloatArray, FloatArray], FloatArray]
"""Derivatives of magnifications, shape (p, n_source, n), by parameters (p,), where their curves are known."""


class TimeIsUp(Exception):
    """Raised by a magnification that may not be evaluated any more: a fit ends with what it has."""


@dataclass(frozen=True)
class Points:
    """The points of all elements in a row.

    Parameters
    ----------
    names
        The elements, n_band of them.
    time, value, scale
        Shape (n,): BJD (TDB), flux over error, and 1 over error.
    start
        Shape (n_band + 1,): where each element begins.
    """

    names: tuple[str, ...]
    time: FloatArray
    value: FloatArray
    scale: FloatArray
    start: npt.NDArray[np.int64]

    @classmethod
    def of(cls, bands: Sequence[Band]) -> Points:
        """Points of elements that have at least three."""
        bands = [band for band in bands if len(band) > 2]
        if not bands:
            raise ValueError("a lens needs at least three points in an optical element")
        scale = np.concatenate([1 / band.error for band in bands])
        flux = np.concatenate([band.flux for band in bands])
        start = np.cumsum([0] + [len(band) for band in bands])
        return cls(
            tuple(b.name for b in bands), np.concatenate([b.time for b in bands]), flux * scale, scale, start
        )

    @property
    def slices(self) -> list[slice]:
        """Where the points of each element are."""
        return [slice(a, b) for a, b in zip(self.start[:-1], self.start[1:], strict=True)]


@dataclass(frozen=True)
class Parameters:
    """What is fitted, and within which limits.

    Parameters
    ----------
    names
        p of them.
    step
        Shape (p,): differences for the derivatives.
    lower, upper
        Shape (p,): limits.
    longest
        Shape (p,): longest step.
    enough
        Fall of the loss below which a step was the last one.
    prior
        Shape (p,): standard deviations about zero before the data are seen, infinite where nothing is known;
        None for none at all.
    """

    names: tuple[str, ...]
    step: FloatArray
    lower: FloatArray
    upper: FloatArray
    longest: FloatArray
    enough: float = 0.01
    prior: FloatArray | None = None

    @property
    def information(self) -> FloatArray:
        """Inverse variances of the prior, shape (p,)."""
        return np.zeros(len(self.names)) if self.prior is None else self.prior**-2.0


@dataclass(frozen=True)
class LensFit:
    """A fit.

    Parameters
    ----------
    parameter
        Shape (p,), as the model takes them.
    flux
        Shape (n_band, n_source + 1): fluxes of the sources and, last, the blend.
    chi2
        Chi-square of all points.
    n_point
        Number of points.
    covariance
        Shape (p, p) of the parameters, fluxes being fitted with them; NaN if it is singular.
    converged
        False if the last step still lowered chi-square.
    n_call
        Evaluations of the model.
    surprise
        What the prior adds to chi-square: the sum of both is what is made small.
    """

    parameter: FloatArray
    flux: FloatArray
    chi2: float
    n_point: int
    covariance: FloatArray
    converged: bool
    n_call: int
    surprise: float = 0.0

    @property
    def loss(self) -> float:
        """Chi-square and what the prior adds to it."""
        return self.chi2 + self.surprise


def solve_fluxes(points: Points, curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The best fluxes of given magnifications, and what they leave.

    Parameters
    ----------
    points
        The light curves.
    curves
        Shape (n_source, n): magnification of each source at each point.

    Returns
    -------
    flux
        Shape (n_band, n_source + 1): sources, which are not negative, and blend.
    residual
        Shape (n,): points less model, in units of the errors.
    """
    flux = np.zeros((len(points.names), curves.shape[0] + 1))
    residual = np.empty(points.time.size)
    for k, part in enumerate(points.slices):
        design = _design(points, curves, part)
        flux[k] = _not_negative(design, points.value[part])
        residual[part] = points.value[part] - design @ flux[k]
    return flux, residual


def joint_covariance(
    points: Points,
    state: tuple[FloatArray, FloatArray],
    slopes: FloatArray,
    covariance: FloatArray,
) -> FloatArray:
    """Covariance of the parameters and of the fluxes that go with them.

    Fluxes are linear: where the parameters move, they follow by least squares, and about that they have
    errors of their own. This is the inverse of the normal matrix of all of them, by its blocks.

    Parameters
    ----------
    points
        The light curves.
    state
        Magnifications, shape (n_source, n), and fluxes, shape (n_band, n_source + 1), of the model.
    slopes
        Shape (p, n_source, n): derivatives of the magnifications by the parameters.
    covariance
        Shape (p, p): of the parameters, fluxes being fitted with them.

    Returns
    -------
    array of shape (p + k, p + k)
        Parameters, then the k fluxes of the first element, of the second and so on, each with its blend last.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the fluxes of an element are not determined.
    """
    curves, flux = state
    follow: list[FloatArray] = [np.eye(covariance.shape[0])]
    own: list[FloatArray] = [np.zeros(covariance.shape)]
    for band, part in enumerate(points.slices):
        design = _design(points, curves, part)
        slope = np.tensordot(slopes[:, :, part], flux[band, :-1], (1, 0)) * points.scale[part]
        inverse: FloatArray = np.linalg.inv(design.T @ design).astype(np.float64)
        follow.append(-inverse @ design.T @ slope.T)
        own.append(inverse)
    gain = np.vstack(follow)
    return np.asarray(gain @ covariance @ gain.T + block_diag(*own))


def derivatives(
    points: Points,
    model: Magnification,
    parameters: Parameters,
    state: tuple[FloatArray, FloatArray],
    slopes: Slopes | None = None,
) -> FloatArray:
    """Derivatives of magnifications, shape (p, n_source, n), by those that are known or by differences.

    Parameters
    ----------
    points, model, parameters, slopes
        As of `fit_lens`.
    state
        Parameters (p,), and the magnifications (n_source, n) that they give.
    """
    return (slopes or differences(points, model, parameters))(*state)


def information_at(
    points: Points,
    model: Magnification,
    parameters: Parameters,
    at: FloatArray,
    slopes: Slopes | None = None,
) -> FloatArray:
    """Inverse covariance of parameters, fluxes being fitted with them, with that of the prior, shape (p, p).

    Parameters
    ----------
    points, model, parameters, slopes
        As of `fit_lens`.
    at
        Shape (p,): where.
    """
    curves = model(at, points.time)
    flux, residual = solve_fluxes(points, curves)
    known = derivatives(points, model, parameters, (at, curves), slopes)
    return normal_equations(points, known, (curves, flux, residual))[0] + np.diag(parameters.information)


def _design(points: Points, curves: FloatArray, part: slice) -> FloatArray:
    """Columns of one element: magnifications and a constant, over the errors."""
    columns = [*(curve[part] for curve in curves), np.ones(part.stop - part.start)]
    return np.column_stack(columns) * points.scale[part, None]


def _not_negative(design: FloatArray, value: FloatArray) -> FloatArray:
    """Least squares whose fluxes, but for the last, are not negative: those that would be are left out."""
    chosen = np.ones(design.shape[1], dtype=bool)
    out = np.zeros(design.shape[1])
    while True:
        some = design[:, chosen]
        matrix = some.T @ some
        matrix[np.diag_indices_from(matrix)] *= 1 + 1e-13
        out[:] = 0
        out[chosen] = np.linalg.solve(matrix, some.T @ value)
        below = out < 0
        below[-1] = False
        if not below.any():
            return out
        chosen &= ~below


def differences(points: Points, model: Magnification, parameters: Parameters) -> Slopes:
    """Derivatives by differences."""

    def slopes(at: FloatArray, curves: FloatArray) -> FloatArray:
        """Derivatives by one parameter after the other."""
        out = np.empty((at.size, *curves.shape))
        for k, size in enumerate(parameters.step):
            moved = at.copy()
            # Towards the inside, so that limits hold for differences too.
            step = -size if at[k] + size > parameters.upper[k] else size
            moved[k] += step
            out[k] = (model(moved, points.time) - curves) / step
        return out

    return slopes


def normal_equations(
    points: Points, slopes: FloatArray, state: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Normal matrix (p, p) and right side (p,), by slopes, and curves, fluxes and what they leave."""
    curves, flux, residual = state
    slope = np.empty((slopes.shape[0], points.time.size))
    for band, part in enumerate(points.slices):
        slope[:, part] = np.tensordot(slopes[:, :, part], flux[band, :-1], (1, 0))
    slope *= points.scale
    for part in points.slices:
        basis, _ = np.linalg.qr(_design(points, curves, part))
        slope[:, part] -= (slope[:, part] @ basis) @ basis.T
    return slope @ slope.T, slope @ residual
