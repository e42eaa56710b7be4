"""Where an exposure really lies, how bright its sky is, and which of its pixels are none of the scene's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.photometry.parallel import Workers
from loaders.reference.kernels import (
    PARAMETERS,
    Float32Array,
    FloatArray,
    mark_outliers,
    pulls,
    registration_sums,
)
from loaders.reference.members import MemberState
from loaders.reference.normal import ExposurePixels
from loaders.reference.star_scale import Territories, star_light, territories

_CLIP, _CLIP_SLOP, _PLACED_SLOP = 4.0, 0.3, 0.05
"""Standard deviations beyond which a pixel pulls less on the registration, and the error of its place in fine
pixels that is part of them: the place is what is looked for; and that once it is found."""

_DOUBTFUL = 0.05
"""Departure of the scale from one at which all is asked again, brought to that scale: pixels that lack light
would pull less on the place."""

_PRIOR = (np.inf, 0.1, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1)
"""Standard deviations of the parameters about what the WCS has, where the stars do not tell them: sky, scale,
and shifts in fine pixels."""

_REJECT, _REJECT_NEXT = 5.0, 3.0
"""Standard deviations at which a pixel is an outlier, and one at which its neighbour is one."""

_SLOP = 0.03
"""Error of positions in fine pixels that is granted when outliers are judged: PSFs are never the same."""

_SLACK = 0.02
"""Error of the prediction, as a fraction of it, that is granted in all of this."""


@dataclass(frozen=True)
class Registration:
    """What was found of an exposure by laying it on the reference.

    Parameters
    ----------
    sky
        Correction to the sky that was subtracted, in the unit of the exposure.
    scale
        Light of stars in the exposure over that in the reference; 1 if fewer than three stars say it.
    scale_err
        Standard error of the scale, NaN where it is not measured.
    n_star
        Stars that were asked for the scale.
    shift
        Shift of the middle of the exposure along u and v, fine pixels.
    linear
        Shape (2, 2): change of the shift (rows u, v) from the middle to the right edge and the upper one.
    shift_err
        Standard errors of the shift.
    n_pixel
        Pixels that were compared.
    """

    sky: float
    scale: float
    scale_err: float
    n_star: int
    shift: tuple[float, float]
    linear: FloatArray
    shift_err: tuple[float, float]
    n_pixel: int


UNMOVED = Registration(0.0, 1.0, float("nan"), 0, (0.0, 0.0), np.zeros((2, 2)), (float("nan"),) * 2, 0)
"""Of an exposure that stays as it is."""


@dataclass(frozen=True)
class Base:
    """What exposures are laid on.

    Parameters
    ----------
    coefficient
        Shape (ny, nx): spline coefficients of the reference.
    stars
        Its stars, which say how bright exposures are.
    """

    coefficient: FloatArray
    stars: Territories


def base_of(
    coefficient: FloatArray, oversampling: int, exposures: Iterable[MemberState], workers: Workers
) -> Base:
    """A reference as some exposures are laid on it; ``oversampling``: its fine pixels per detector pixel."""
    weights = [one.weight for one in exposures if one.refused is None]
    deviation = 1 / float(np.sqrt(np.median(weights))) if weights else np.inf
    return Base(coefficient, territories(coefficient, oversampling, deviation, workers))


def register(
    base: Base, exposure: ExposurePixels, shift: tuple[float, float], workers: Workers
) -> Registration:
    """Lay an exposure on the reference by least squares, linearised about where it lies.

    Its scale is what most of its stars have in common, at the place that is found; sky and place are then
    those that go with it, without the pixels of stars that have changed.

    Parameters
    ----------
    base
        The reference.
    exposure
        The exposure as it is placed now.
    shift
        How far that is from where its WCS has it, fine pixels.
    workers
        Threads.

    Returns
    -------
    Registration
    """
    found = _registered(base, exposure, np.array(shift), _CLIP_SLOP, workers)
    if abs(found.scale - 1) <= _DOUBTFUL:
        return found
    placed = brought(exposure, found)
    more = _registered(base, placed, np.add(shift, found.shift), _PLACED_SLOP, workers)
    total = np.add(found.shift, more.shift)
    return replace(
        more,
        sky=found.sky + found.scale * more.sky,
        scale=found.scale * more.scale,
        scale_err=found.scale * more.scale_err,
        shift=(float(total[0]), float(total[1])),
        linear=found.linear + more.linear,
    )


def brought(exposure: ExposurePixels, found: Registration) -> ExposurePixels:
    """The exposure at the place, sky and scale that were found of it."""
    placed = moved(exposure, np.array(found.shift), found.linear)
    value = ((placed.value - found.sky) / found.scale).astype(np.float32)
    weight = (placed.weight * found.scale**2).astype(np.float32)
    return replace(placed, value=value, weight=weight, growth=placed.growth * found.scale)


def _registered(
    base: Base, exposure: ExposurePixels, shift: FloatArray, slop: float, workers: Workers
) -> Registration:
    """One solution; see `register`."""
    system, right, count = _system(base, exposure, shift, slop, workers)
    place = _solution(system, right)[0]
    placed = moved(exposure, place[2:4], place[4:].reshape(2, 2))
    light = star_light(base.coefficient, placed, base.stars, workers)
    scale = light.scale()
    changed = light.of_changed(scale)
    if 0 < changed.mean() < _MOST:
        telling = replace(exposure, weight=np.where(changed, np.float32(0), exposure.weight))
        system, right, _ = _system(base, telling, shift, slop, workers)
    # What goes with that scale: it is no longer free.
    right -= system[:, 1] * (scale.scale - 1)
    right[1], system[1, :], system[:, 1], system[1, 1] = 0.0, 0.0, 0.0, 1.0
    solution, error = _solution(system, right)
    return Registration(
        sky=float(solution[0]),
        scale=scale.scale,
        scale_err=scale.error,
        n_star=scale.n_star,
        shift=(float(solution[2]), float(solution[3])),
        linear=solution[4:].reshape(2, 2),
        shift_err=(float(error[2]), float(error[3])),
        n_pixel=count,
    )


def _system(
    base: Base, exposure: ExposurePixels, shift: FloatArray, slop: float, workers: Workers
) -> tuple[FloatArray, FloatArray, int]:
    """Normal equations with the prior: matrix, right-hand side, and number of pixels."""
    matrix, right, count = _sums(base.coefficient, exposure, slop, workers)
    # Weights are inverse variances, and so is the prior.
    information = 1 / np.square(_PRIOR)
    right[2:4] -= information[2:4] * shift
    return matrix + np.tril(matrix, -1).T + np.diag(information), right, count


def _solution(system: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solution of normal equations and its standard errors, shape (PARAMETERS,) each."""
    norm = np.sqrt(np.where(np.diag(system) > 0, np.diag(system), 1.0))
    covariance = np.linalg.inv(system / np.outer(norm, norm) + _TINY * np.eye(PARAMETERS))
    return covariance @ (right / norm) / norm, np.sqrt(np.diag(covariance)) / norm


_MOST = 0.5
"""Share of an exposure that stars which have changed may cover, for the rest to say where it lies."""

_TINY = 1e-12
"""Relative weight that keeps the registration solvable where no pixel is seen."""


def _sums(
    coefficient: FloatArray, exposure: ExposurePixels, slop: float, workers: Workers
) -> tuple[FloatArray, FloatArray, int]:
    """Normal equations of the registration: lower half of the matrix, right-hand side, number of pixels."""
    n_row = exposure.value.shape[0]
    out = np.zeros((n_row, PARAMETERS, PARAMETERS)), np.zeros((n_row, PARAMETERS)), np.zeros(n_row)
    pixels = (exposure.value, exposure.weight, exposure.growth)
    workers.run(registration_sums, n_row, coefficient, exposure.geometry, pixels, (_CLIP, slop, _SLACK), out)
    return out[0].sum(axis=0), out[1].sum(axis=0), int(out[2].sum())


def moved(exposure: ExposurePixels, shift: FloatArray, linear: FloatArray) -> ExposurePixels:
    """The exposure placed elsewhere by a shift, shape (2,), and what it changes by, shape (2, 2)."""
    forward = exposure.place.forward.copy()
    forward[:, 0, 0] += shift
    forward[:, 1, 0] += linear[:, 0]
    forward[:, 0, 1] += linear[:, 1]
    return replace(exposure, place=replace(exposure.place, forward=forward))


@dataclass(frozen=True)
class Outliers:
    """Pixels of an exposure that the reference does not explain: hits, trails, what moved or varies.

    Parameters
    ----------
    index
        Shape (n,): where they are in the flattened exposure.
    pull
        Shape (n,): by how many standard deviations they are off.
    """

    index: npt.NDArray[np.int64]
    pull: Float32Array


def outliers(coefficient: FloatArray, exposure: ExposurePixels, workers: Workers) -> Outliers:
    """Find the outliers of an exposure.

    A pixel is one if it is off by 5 standard deviations, or by 3 beside one that is; the standard deviation
    includes the error of a slightly wrong place or PSF, as in drizzling (Fruchter & Hook 2002, section 4).
    """
    pull = np.empty(exposure.value.shape, dtype=np.float32)
    found = np.empty(pull.shape, dtype=np.bool_)
    pixels = (exposure.value, exposure.weight, exposure.growth)
    workers.run(pulls, len(pull), coefficient, exposure.geometry, pixels, (_SLOP, _SLACK), pull)
    workers.run(mark_outliers, len(pull), pull, (_REJECT, _REJECT_NEXT), found)
    index = np.flatnonzero(found)
    return Outliers(index, pull.ravel()[index])


def softened(pull: Float32Array) -> Float32Array:
    """Factor of the weight of an outlier that is not left out: it counts as much as one at the limit."""
    return np.asarray(_REJECT_NEXT / np.maximum(pull, _REJECT_NEXT), dtype=np.float32)
