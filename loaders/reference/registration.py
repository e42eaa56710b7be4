"""Where an exposure really lies, how bright its sky is, and which of its pixels are none of the scene's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from loaders.photometry.image import PixelImage
from loaders.reference.kernels import (
    PARAMETERS,
    FloatArray,
    predict,
    registration_sums,
)
from loaders.reference.normal import ExposurePixels

BoolArray = npt.NDArray[np.bool_]

_CLIP = 4.0
"""Standard deviations beyond which a pixel pulls less on the registration."""

_RIDGE = 1e-9
"""Relative weight that keeps the registration solvable where nothing tells its parameters apart."""

_REJECT, _REJECT_NEXT = 5.0, 3.0
"""Standard deviations at which a pixel is an outlier, and one at which its neighbour is one."""

_SLOP = 0.03
"""Error of positions in fine pixels that is granted when outliers are judged: PSFs are never the same."""

_SLACK = 0.02
"""Error of the prediction, as a fraction of it, that is granted when outliers are judged."""


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


def register(coefficient: FloatArray, exposure: ExposurePixels, image: PixelImage) -> Registration:
    """Lay an exposure on the reference by least squares, linearised about where it lies.

    Parameters
    ----------
    coefficient
        Of the reference.
    exposure
        The exposure as it is placed now.
    image
        Its pixels with their noise.

    Returns
    -------
    Registration
    """
    variance = image.noise.variance(np.maximum(image.data, 0))
    weight = np.where(exposure.weight > 0, 1 / np.where(variance > 0, variance, np.inf), 0).astype(np.float32)
    matrix, right = np.zeros((PARAMETERS, PARAMETERS)), np.zeros(PARAMETERS)
    pixels = (exposure.value, weight)
    count = registration_sums(coefficient, exposure.geometry, pixels, _CLIP, (matrix, right))
    matrix = matrix + np.tril(matrix, -1).T
    norm = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1.0))
    system = matrix / np.outer(norm, norm) + _RIDGE * np.eye(PARAMETERS)
    covariance = np.linalg.inv(system) / np.outer(norm, norm)
    solution = np.linalg.solve(system, right / norm) / norm
    return Registration(
        sky=float(solution[0]),
        scale=1 + float(solution[1]),
        shift=(float(solution[2]), float(solution[3])),
        linear=solution[4:].reshape(2, 2),
        shift_err=(float(np.sqrt(covariance[2, 2])), float(np.sqrt(covariance[3, 3]))),
        n_pixel=int(count),
    )


def moved(exposure: ExposurePixels, shift: FloatArray, linear: FloatArray) -> ExposurePixels:
    """The exposure placed elsewhere by a shift, shape (2,), and what it changes by, shape (2, 2)."""
    forward = exposure.place.forward.copy()
    forward[:, 0, 0] += shift
    forward[:, 1, 0] += linear[:, 0]
    forward[:, 0, 1] += linear[:, 1]
    return replace(exposure, place=replace(exposure.place, forward=forward))


def outliers(coefficient: FloatArray, exposure: ExposurePixels, image: PixelImage) -> BoolArray:
    """Pixels that the reference does not explain, shape (ny, nx): hits, trails, what moved.

    A pixel is one if it is off by 5 standard deviations, or by 3 beside one that is; the standard deviation
    includes the error of a slightly wrong place or PSF, as in drizzling (Fruchter & Hook 2002, section 4).
    """
    predicted = np.empty(exposure.value.shape, dtype=np.float32)
    steepness = np.empty_like(predicted)
    predict(0, len(predicted), coefficient, exposure.geometry, (predicted, steepness))
    known = np.isfinite(predicted) & (exposure.weight > 0)
    light = np.where(known, predicted, 0)
    scatter = image.noise.variance(light + _level(image, exposure))
    variance = scatter + (_SLOP * steepness) ** 2 + (_SLACK * light) ** 2
    pull = np.where(known, np.abs(exposure.value - light) / np.sqrt(variance), 0)
    certain = pull > _REJECT
    beside = binary_dilation(certain, np.ones((3, 3), dtype=bool)) & (pull > _REJECT_NEXT)
    return np.asarray(certain | beside)


def _level(image: PixelImage, exposure: ExposurePixels) -> float:
    """Sky that was subtracted from an exposure, which its noise still has."""
    known = exposure.weight > 0
    return float(np.median((image.data - exposure.value)[known])) if known.any() else 0.0
