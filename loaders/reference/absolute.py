"""Where a reference image really lies on the sky: laid on catalogued stars whose motions are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.photometry.fit import photometer
from loaders.photometry.flags import NO_GUIDE
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.options import FitOptions
from loaders.psf.model import EffectivePsf
from loaders.reference.frame import FloatArray, ReferenceFrame

BoolArray = npt.NDArray[np.bool_]

LEAST = 5
"""Stars below which nothing is said of the frame."""

_LEAST_LINEAR = 20
"""Stars from which it may also be turned and stretched."""

_FLOOR = 0.002
"""Error in detector pixels (0.2 mas) that every position is granted: PSF, distortion, and blends."""

_CLIP, _ROUNDS = 3.0, 20
"""Standard deviations beyond which a star pulls the less the farther it is, and most rounds of weights."""

_STILL = 0.01
"""Shift in fine pixels from which positions are measured anew about the shifted places."""

_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class AbsoluteSolution:
    """What a catalog says of a frame.

    Parameters
    ----------
    shift
        Shape (2,): how far the stars lie from where the frame has them, in its middle, fine pixels.
    linear
        Shape (2, 2): growth of that (rows x, y) a fine pixel along x and y.
    shift_err
        Shape (2,): standard errors of the shift.
    residual
        Robust scatter of the stars along an axis about the solution, fine pixels.
    n_star
        Stars that it rests on.
    """

    shift: FloatArray
    linear: FloatArray
    shift_err: FloatArray
    residual: float
    n_star: int


def lay_on_stars(
    image: PixelImage,
    psf: EffectivePsf,
    frame: ReferenceFrame,
    stars: StarList,
    error: FloatArray,
) -> AbsoluteSolution | None:
    """Measure catalogued stars on a reference image, and find what they say of its frame.

    Parameters
    ----------
    image, psf, frame
        The image.
    stars
        All catalogued stars on it, at their places at its epoch, fine pixels.
    error
        Shape (n,): errors of these places along an axis, fine pixels; NaN for stars that are only measured so
        that they do not spoil the others.

    Returns
    -------
    AbsoluteSolution or None
        None where fewer than 5 stars are of use.
    """
    scale = frame.oversampling
    default = FitOptions()
    options = replace(
        default,
        tile_size=default.tile_size * scale,
        margin=default.margin * scale,
        max_offset=default.max_offset * scale,
        background_spacing=128.0 * scale,
    )
    total = np.zeros(2)
    for _ in range(2):
        listed = replace(stars, x=stars.x + total[0], y=stars.y + total[1])
        fit = photometer(image, listed, psf, options)
        offset = np.column_stack([fit.dx, fit.dy])
        own = np.column_stack([fit.dx_err, fit.dy_err])
        spread = np.sqrt(own**2 + error[:, None] ** 2 + (_FLOOR * scale) ** 2)
        used = (fit.flags & NO_GUIDE == 0) & np.isfinite(offset + spread).all(axis=1)
        if used.sum() < LEAST:
            return None
        place = np.column_stack([listed.x, listed.y])[used] - frame.middle
        found = solve_absolute(place, offset[used] + total, spread[used])
        if np.hypot(*(found.shift - total)) < _STILL:
            break
        total = found.shift
    return found


def solve_absolute(place: FloatArray, offset: FloatArray, error: FloatArray) -> AbsoluteSolution:
    """Shift, and with 20 stars a linear map too, that offsets ask for; far ones pull less.

    Parameters
    ----------
    place
        Shape (n, 2): places relative to the middle of the frame, fine pixels.
    offset, error
        Shape (n, 2): measured minus expected place, and its standard error.
    """
    n = len(place)
    design = np.column_stack([np.ones(n), place]) if n >= _LEAST_LINEAR else np.ones((n, 1))
    solution, variance, left = np.zeros((3, 2)), np.zeros(2), np.empty_like(offset)
    for axis in range(2):
        value, covariance = _robust(design, offset[:, axis], error[:, axis])
        solution[: design.shape[1], axis] = value
        variance[axis] = covariance[0, 0]
        left[:, axis] = offset[:, axis] - design @ value
    residual = _TO_SIGMA * float(np.median(np.abs(left)))
    return AbsoluteSolution(solution[0], solution[1:].T, np.sqrt(variance), residual, n)


def _robust(design: FloatArray, value: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least squares in which far ones pull less, and its covariance, widened to what is left."""
    solution: FloatArray = np.zeros(design.shape[1])
    solution[0] = np.median(value)
    for _ in range(_ROUNDS):
        pull = np.abs(value - design @ solution) / error
        width = max(1.0, _TO_SIGMA * float(np.median(pull)))
        weight = np.minimum(1.0, _CLIP * width / np.maximum(pull, 1e-12)) ** 2 / error**2
        normal = design.T @ (weight[:, None] * design)
        before, solution = solution, np.asarray(np.linalg.solve(normal, design.T @ (weight * value)))
        if np.allclose(before, solution, rtol=0, atol=1e-9):
            break
    return solution, np.asarray(np.linalg.inv(normal) * width**2)


def corrected(frame: ReferenceFrame, solution: AbsoluteSolution) -> ReferenceFrame:
    """The frame with its pixels where the stars have them."""
    middle = np.array(frame.middle)
    x, y = (middle - solution.shift)[:, None]
    ra, dec = frame.to_sky(x, y)
    matrix = frame.matrix @ (np.eye(2) - solution.linear)
    return replace(frame, ra=float(ra[0]), dec=float(dec[0]), matrix=matrix)
