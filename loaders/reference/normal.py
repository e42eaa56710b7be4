"""The reference as a least-squares problem: pixels added and taken out, and the image that fits them best.

Every exposure samples the same scene, as the detector sees it, at its own places (Lauer 1999, PASP 111, 227,
and Fruchter & Hook 2002, PASP 114, 144, state the problem). Where drizzling shares pixels out among those of
a finer grid, which blurs the image by the shape of the drop and correlates its noise, here the image is the
smooth function on the fine grid from which all pixels of all exposures differ least. Nothing blurs it: its
PSF is that of the exposures, sampled more finely. The sums are linear in the exposures, so that one can be
taken out again exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.parallel import Workers
from loaders.reference.kernels import (
    BLOCK,
    PAD,
    ROUGH_DIAGONAL,
    TAPS,
    Float32Array,
    FloatArray,
    Geometry,
    accumulate,
    multiply,
)
from loaders.wfi.placement import Placement

STRIP = 32
"""Rows of the frame that one thread fills at a time; strips that touch are never filled at once."""

_SMOOTH = 1e-4
"""Weight of the squared second differences relative to the mean weight of a coefficient: they decide where
nothing else does."""

_RIDGE = 0.01
"""Weight of the squares relative to that: far from all pixels the image is zero."""

Step = tuple[float, float]
"""Of conjugate gradients: its length, and how much of its direction the next one keeps."""


@dataclass(frozen=True)
class ExposurePixels:
    """One exposure as it enters a reference.

    Parameters
    ----------
    value
        Shape (ny, nx): rate, sky subtracted.
    weight
        Shape (ny, nx): inverse variance of a pixel without stars, 0 where it does not count. That photons of
        stars add to it is left out: all exposures have the same stars in the same places.
    place
        Where its pixels lie in the frame.
    growth
        Growth of the variance by the photons of stars, relative to that without stars, per unit of value.
    """

    value: Float32Array
    weight: Float32Array
    place: Placement
    growth: float = 0.0

    @property
    def geometry(self) -> Geometry:
        """The place as the compiled functions read it."""
        return Geometry(self.place.centre, self.place.half, np.ascontiguousarray(self.place.forward))


class NormalEquations:
    """Sums over exposures from which the reference follows.

    Parameters
    ----------
    shape
        Fine pixels (ny, nx) of the frame.
    workers
        Threads.
    """

    def __init__(self, shape: tuple[int, int], workers: Workers) -> None:
        rows, columns = shape
        self._workers = workers
        self._matrix = np.zeros((rows + 2 * PAD, TAPS, columns + 2 * PAD, TAPS), dtype=np.float32)
        self._right = np.zeros(shape, dtype=np.float32)
        self.weight = np.zeros(shape, dtype=np.float32)

    @property
    def sums(self) -> tuple[Float32Array, Float32Array, Float32Array]:
        """The sums themselves, to be kept and put back: normal matrix, right-hand side and weight."""
        return self._matrix, self._right, self.weight

    def add(self, exposure: ExposurePixels) -> None:
        """Add an exposure."""
        self._accumulate(exposure, 1.0)

    def remove(self, exposure: ExposurePixels) -> None:
        """Take an exposure out that was added just so."""
        self._accumulate(exposure, -1.0)

    def _accumulate(self, exposure: ExposurePixels, sign: float) -> None:
        v = rows_of_blocks(exposure)
        rows = rows_of_strips(v, self._right.shape[0])
        for colour in (0, 1):
            which = np.arange(colour, len(rows), 2)
            arguments = (
                (which, rows, STRIP),
                (exposure.value, exposure.weight, sign),
                (exposure.geometry, v),
                (self._matrix, self._right, self.weight),
            )
            self._workers.run(accumulate, which.size, *arguments)

    def solve(
        self,
        start: FloatArray | None = None,
        tolerance: float = 1e-4,
        steps: int = 200,
        *,
        of_start: bool = False,
        level: float | None = None,
        taken: list[Step] | None = None,
    ) -> FloatArray:
        """Spline coefficients of the image that fits best, by conjugate gradients.

        Parameters
        ----------
        start
            Coefficients to begin with; zero if None.
        tolerance
            Residual of the normal equations relative to their right-hand side at which to stop.
        steps
            Largest number of steps.
        of_start
            Take the residual relative to that of ``start`` instead: of bright stars, what one exposure of
            many changes is a small part.
        level
            Weight of a coefficient that smoothing is relative to; the mean of those here if None.
        taken
            Gets the steps, for `follow`.

        Returns
        -------
        ndarray
            Shape (ny, nx).
        """
        if not self.filled().size:
            return np.zeros(self._right.shape)
        smoothing, scale = self._conditions(level)
        right = self._right.astype(np.float64)
        x = np.zeros_like(right) if start is None else start.copy()
        residual = right - self._apply(x, smoothing)
        direction = scale * residual
        power = float((residual * direction).sum())
        enough = tolerance**2 * (power if of_start else float((right * scale * right).sum()))
        for _ in range(steps):
            if power <= enough:
                break
            image = self._apply(direction, smoothing)
            length = power / float((direction * image).sum())
            x += length * direction
            residual -= length * image
            conditioned = scale * residual
            before, power = power, float((residual * conditioned).sum())
            direction = conditioned + (power / before) * direction
            if taken is not None:
                taken.append((length, power / before))
        return x

    def follow(self, right: Float32Array, taken: Sequence[Step]) -> FloatArray:
        """What some steps make of another right-hand side, from zero: what they made of that part of theirs.

        Where few pixels tell, what they say of it comes in late: a solution is nearer to smooth than its
        equations are, the earlier it ends. Given its steps it is linear in the right-hand side.

        Parameters
        ----------
        right
            Shape (ny, nx).
        taken
            Steps of `solve`, which began at zero.

        Returns
        -------
        ndarray
            Shape (ny, nx).
        """
        smoothing, scale = self._conditions(None)
        residual = right.astype(np.float64)
        x, direction = np.zeros_like(residual), scale * residual
        for length, ratio in taken:
            x += length * direction
            residual -= length * self._apply(direction, smoothing)
            direction = scale * residual + ratio * direction
        return x

    def _conditions(self, level: float | None) -> tuple[tuple[float, float], FloatArray]:
        """Weights of the smoothing, and the inverse of the diagonal with it; see `solve`."""
        level = float(self.filled().mean()) if level is None else level
        rough = _SMOOTH * level
        smoothing = (rough, _RIDGE * rough)
        return smoothing, 1 / (self.diagonal() + ROUGH_DIAGONAL * rough + smoothing[1])

    def diagonal(self) -> FloatArray:
        """Weight of every coefficient, shape (ny, nx)."""
        return self._matrix[PAD:-PAD, 0, PAD:-PAD, 0].astype(np.float64)

    def filled(self, rows: slice = slice(None)) -> FloatArray:
        """Weights of the coefficients of some rows that have any, shape (n,)."""
        diagonal = self.diagonal()[rows]
        return diagonal[diagonal > 0]

    def _apply(self, vector: FloatArray, smoothing: tuple[float, float]) -> FloatArray:
        """Normal matrix with smoothing, times a vector."""
        framed = np.pad(vector, PAD)
        out = np.zeros_like(framed)
        self._workers.run(multiply, vector.shape[0], self._matrix, smoothing, framed, out)
        return np.asarray(out[PAD:-PAD, PAD:-PAD])


def rows_of_blocks(exposure: ExposurePixels) -> FloatArray:
    """Row of the frame v of every `BLOCK`-th pixel of each row of an exposure, shape (ny, n)."""
    ny, nx = exposure.value.shape
    columns = np.arange(-(-nx // BLOCK) + 1) * float(BLOCK)
    return exposure.place.grid(columns, np.arange(ny, dtype=np.float64))[1]


def rows_of_strips(v: FloatArray, n_row: int) -> npt.NDArray[np.int64]:
    """First and last + 1 row of an exposure with pixels in each strip of the frame, shape (n_strip, 2)."""
    low, high = v.min(axis=1) - 1.0, v.max(axis=1) + 1.0
    n_strip = -(-n_row // STRIP)
    out = np.zeros((n_strip, 2), dtype=np.int64)
    for strip in range(n_strip):
        inside = np.flatnonzero((high >= strip * STRIP) & (low < (strip + 1) * STRIP))
        if inside.size:
            out[strip] = inside[0], inside[-1] + 1
    return out
