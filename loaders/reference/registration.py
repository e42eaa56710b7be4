"""Where an exposure really lies, how bright its sky is, and which of its pixels are none of the scene's."""

from __future__ import annotations

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
from loaders.reference.normal import ExposurePixels

_CLIP, _CLIP_SLOP, _PLACED_SLOP = 4.0, 0.3, 0.05
"""Standard deviations beyond which a pixel pulls less on the registration, and the error of its place in fine
pixels that is part of them: the place is what is looked for; and that once it is found."""

_DOUBTFUL = 0.05
"""Departure of the scale from one at which it is asked again: of all stars, or of one that varies?"""

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
        Light of stars in the exposure over that in the reference.
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
    shift: tuple[float, float]
    linear: FloatArray
    shift_err: tuple[float, float]
    n_pixel: int


def register(
    coefficient: FloatArray, exposure: ExposurePixels, shift: tuple[float, float], workers: Workers
) -> Registration:
    """Lay an exposure on the reference by least squares, linearised about where it lies.

    Parameters
    ----------
    coefficient
        Of the reference.
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
    found = _registered(coefficient, exposure, np.array(shift), _CLIP_SLOP, workers)
    if abs(found.scale - 1) <= _DOUBTFUL:
        return found
    placed = moved(exposure, np.array(found.shift), found.linear)
    more = _registered(coefficient, placed, np.add(shift, found.shift), _PLACED_SLOP, workers)
    total = np.add(found.shift, more.shift)
    return replace(more, shift=(float(total[0]), float(total[1])), linear=found.linear + more.linear)


def _registered(
    coefficient: FloatArray, exposure: ExposurePixels, shift: FloatArray, slop: float, workers: Workers
) -> Registration:
    """One solution; see `register`."""
    matrix, right, count = _sums(coefficient, exposure, slop, workers)
    # Weights are inverse variances, and so is the prior.
    information = 1 / np.square(_PRIOR)
    right[2:4] -= information[2:4] * shift
    system = matrix + np.tril(matrix, -1).T + np.diag(information)
    norm = np.sqrt(np.where(np.diag(system) > 0, np.diag(system), 1.0))
    covariance = np.linalg.inv(system / np.outer(norm, norm) + _TINY * np.eye(PARAMETERS))
    solution = covariance @ (right / norm) / norm
    error = np.sqrt(np.diag(covariance)) / norm
    return Registration(
        sky=float(solution[0]),
        scale=1 + float(solution[1]),
        shift=(float(solution[2]), float(solution[3])),
        linear=solution[4:].reshape(2, 2),
        shift_err=(float(error[2]), float(error[3])),
        n_pixel=count,
    )


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
