"""The noise of a reference: that of its exposures, propagated through the sums that it is solved from.

How well fine pixels are known is not decided by how many exposures see a place but by where in their pixels
they have it: two that lie a tenth of a pixel apart say what a pixel holds, and hardly how. With the normal
matrix A of the pixels and the weak smoothing R the coefficients are ``(A + R)⁻¹ b``, and their covariance is
``(A + R)⁻¹ A (A + R)⁻¹``, as of any linear estimate from independent pixels. It is too large to be written
down. But right-hand sides of noise, of covariance A, can be drawn pixel by pixel as random signs (Hutchinson
1990, Commun. Stat. Simul. 19, 433); the mean squares of what comes out are the diagonal. The image is no
exact solution: among bright stars the steps end before all is in that few pixels tell, noise among it. So
noise is taken through the steps of the image.

Where noise is not white, one pixel does not say how much of it a star collects: that is measured too, with
the pixels summed up with the weights of a star.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import correlate1d

from loaders.reference.image import orthonormal
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.reference.members import MemberState
from loaders.reference.noise_kernels import accumulate_noise
from loaders.reference.normal import (
    STRIP,
    ExposurePixels,
    NormalEquations,
    Step,
    rows_of_blocks,
    rows_of_strips,
)
from loaders.reference.passes import Factors, Work, weighed_pixels
from loaders.reference.strips import strips_of, touches, within

_DRAWS = 8
"""Right-hand sides of noise."""

_STAR = 0.5
"""Standard deviation in detector pixels of a star, pixels included, whose noise is asked for."""


@dataclass(frozen=True)
class NoisyImage:
    """The image that fits all exposures best, and its variance without stars; shape (ny, nx) each.

    Parameters
    ----------
    coefficient, weight
        As in `loaders.reference.strips.FittedImage`.
    pixel
        Variance of the flux in a fine pixel.
    star
        Variance of the weighted sum of pixels that a star's flux is, over the sum of its squared weights:
        that which independent pixels would have for the star to have its error. Equal to that of single
        pixels where noise is white.
    """

    coefficient: FloatArray
    weight: Float32Array
    pixel: Float32Array
    star: Float32Array


def fit_with_noise(
    work: Work, members: Sequence[MemberState], factors: Sequence[Factors | None]
) -> NoisyImage:
    """Fit the image to exposures, and propagate their noise into it.

    Parameters
    ----------
    work
        Exposures, frame and options.
    members, factors
        The exposures, and factors of the weights of some pixels of each.

    Returns
    -------
    NoisyImage
        Its variances are means of few squares: they scatter by a half from pixel to pixel.
    """
    shape = work.frame.shape
    out = NoisyImage(np.empty(shape), *(np.empty(shape, dtype=np.float32) for _ in range(3)))
    # The right-hand sides take memory beside the sums.
    for own, seen in strips_of(shape, max(work.options.most_pixels // 2, 1)):
        inner = slice(own.start - seen.start, own.stop - seen.start)
        strip = _strip(work, members, factors, seen)
        for field in fields(NoisyImage):
            getattr(out, field.name)[own] = getattr(strip, field.name)[inner]
    return out


def _strip(
    work: Work, members: Sequence[MemberState], factors: Sequence[Factors | None], seen: slice
) -> NoisyImage:
    """Some rows of the image; see `fit_with_noise`."""
    shape, fine = (seen.stop - seen.start, work.frame.shape[1]), work.frame.oversampling
    equations, noise = NormalEquations(shape, work.workers), np.zeros((_DRAWS, *shape), dtype=np.float32)
    for number, (member, factor) in enumerate(zip(members, factors, strict=True)):
        if member.refused is None and member.place is not None and touches(member.place, seen):
            pixels = within(weighed_pixels(work, number, member, factor), seen)
            equations.add(pixels)
            _add_noise(noise, number, pixels, work)
    taken: list[Step] = []
    coefficient = equations.solve(taken=taken)
    pixel, star = np.zeros(shape), np.zeros(shape)
    for right in noise:
        error = orthonormal(equations.follow(right, taken)) / fine**2
        pixel += error**2
        star += _as_star(error, _STAR * fine) ** 2
    variances = ((total / _DRAWS).astype(np.float32) for total in (pixel, star))
    return NoisyImage(coefficient, equations.weight, *variances)


def _add_noise(noise: Float32Array, number: int, pixels: ExposurePixels, work: Work) -> None:
    """Add the noise of an exposure to the right-hand sides."""
    v = rows_of_blocks(pixels)
    rows = rows_of_strips(v, noise.shape[1])
    for colour in (0, 1):
        which = np.arange(colour, len(rows), 2)
        exposure, where = (pixels.weight, number), (pixels.geometry, v)
        work.workers.run(accumulate_noise, which.size, (which, rows, STRIP), exposure, where, noise)


def _as_star(error: FloatArray, sigma: float) -> FloatArray:
    """Sums of pixels with the weights of a star at each of them, whose squares add up to one."""
    along = np.arange(-np.ceil(4 * sigma), np.ceil(4 * sigma) + 1)
    weight = np.exp(-0.5 * (along / sigma) ** 2)
    weight /= np.sqrt(weight @ weight)
    return np.asarray(correlate1d(correlate1d(error, weight, axis=0), weight, axis=1))
