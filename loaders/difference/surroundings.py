"""A template around the pixels of an image, some rows at a time where all of it would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from loaders.difference.kernels import sample_template
from loaders.photometry.parallel import Workers
from loaders.reference.kernels import Float32Array, FloatArray, Geometry
from loaders.wfi.placement import Placement

BoolArray = npt.NDArray[np.bool_]


class Surroundings:
    """What the kernel of each pixel of an image has to weigh: the template around it, and 1 for a constant.

    Rows that fit into memory are sampled once, more of them again each time that they are asked for, which
    costs a fraction of the sums that are made of them.

    Parameters
    ----------
    coefficient
        Spline coefficients of the template, shape (rows, columns).
    place
        Map from the pixels of the image to those of the template.
    shape
        Pixels (ny, nx) of the image.
    half
        Steps of the template to either side.
    memory
        Bytes of samples that may be held at once.
    workers
        Threads.
    """

    def __init__(
        self,
        coefficient: FloatArray,
        place: Placement,
        shape: tuple[int, int],
        half: int,
        memory: int,
        workers: Workers,
    ) -> None:
        self._coefficient, self._place, self._shape, self._half = coefficient, place, shape, half
        self._workers = workers
        self.count = (2 * half + 1) ** 2 + 1
        self._most_rows = max(memory // (shape[1] * self.count * 4), 1)
        self._samples = np.empty((0, shape[1], self.count), dtype=np.float32)
        self._whole = False

    def bands(self, step: int) -> Iterator[tuple[slice, Float32Array]]:
        """Rows of the image and their samples, shape (n_row, nx, count); 0 where the template does not reach.

        The samples are those of the next rows as soon as these are asked for.

        Parameters
        ----------
        step
            Rows that stay together; as many of them are taken as fit.
        """
        ny = self._shape[0]
        length = ny if ny <= self._most_rows else min(max(self._most_rows // step, 1) * step, ny)
        if len(self._samples) < length:
            self._samples = np.empty((length, *self._samples.shape[1:]), dtype=np.float32)
        for start in range(0, ny, length):
            rows = slice(start, min(start + length, ny))
            samples = self._samples[: rows.stop - start]
            if not self._whole:
                self._sample(start, samples)
                self._whole = length == ny
            yield rows, samples

    def reached(self) -> BoolArray:
        """Pixels around which the template is known everywhere, shape (ny, nx)."""
        out = np.empty(self._shape, dtype=np.bool_)
        for rows, samples in self.bands(1):
            # The constant is taken away with what is not known.
            out[rows] = samples[..., -1] > 0
        return out

    def _sample(self, start: int, out: Float32Array) -> None:
        """Sample the template around some rows, counted from the first of them."""
        (x, y), half, forward = self._place.centre, self._place.half, self._place.forward
        geometry = Geometry((x, y - start), half, np.ascontiguousarray(forward))
        self._workers.run(sample_template, len(out), self._coefficient, geometry, self._half, out)
        out[..., -1] = 1.0
        out[~np.isfinite(out).all(axis=-1)] = 0.0
