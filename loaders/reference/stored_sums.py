"""The sums of all exposures of a reference, strip by strip: one is in memory, the others wait on disk."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.output_folder import writing
from loaders.reference.kernels import FloatArray
from loaders.reference.members import MemberState
from loaders.reference.normal import ExposurePixels, NormalEquations
from loaders.reference.passes import Factors, Work
from loaders.reference.strips import FittedImage, strip_sums, strips_of, touches, within


@dataclass(frozen=True)
class Parts:
    """How the sums of a large frame are kept and solved.

    Parameters
    ----------
    most_pixels
        Fine pixels of the strip that is in memory: some 130 bytes each while it is solved.
    folder
        Where the others wait, in a file without a name; that of the system for temporary ones if None.
    exact
        Residual of the normal equations of all exposures at which their image is taken: below what one of
        hundreds adds to it.
    change
        Share of what an exposure added that may be left when it is taken out: a tenth of it at most is seen
        in the image, of which it was one of many. Twenty steps or so.
    """

    most_pixels: int = 2**24
    folder: Path | None = None
    exact: float = 1e-5
    change: float = 0.03


@dataclass(frozen=True)
class _Strip:
    """Rows of the frame that are its own, those that are solved with them, and where its arrays begin."""

    own: slice
    seen: slice
    offset: int

    @property
    def inner(self) -> slice:
        """Its own rows among those that are solved."""
        return slice(self.own.start - self.seen.start, self.own.stop - self.seen.start)


class StoredSums:
    """Sums of all exposures over a frame, and the image of all, from which one exposure can be taken out.

    They lie in a file that has no name, and so is gone when the process is, however it ends: 76 bytes a fine
    pixel.

    Parameters
    ----------
    work
        Exposures and frame.
    members, factors
        The exposures, and factors of the weights of some pixels of each.
    start
        Coefficients to begin with, shape (ny, nx).
    parts
        Strips, file, and where solutions end.

    Raises
    ------
    Rejected
        Code ``unwritable_folder``, if the disk is full.
    """

    def __init__(
        self,
        work: Work,
        members: Sequence[MemberState],
        factors: Sequence[Factors | None],
        start: FloatArray,
        parts: Parts,
    ) -> None:
        self._work, self._parts = work, parts
        self._strips: list[_Strip] = []
        with self._writing():
            self._file = tempfile.TemporaryFile(dir=parts.folder, buffering=0)  # noqa: SIM115 - as long as this
        weakref.finalize(self, self._file.close)
        strips = strips_of(work.frame.shape, parts.most_pixels)
        weights = [self._append(members, factors, *strip) for strip in strips]
        # Smoothing is relative to one weight, wherever the strips end.
        total, count = np.sum(weights, axis=0)
        self._level = float(total) / max(float(count), 1.0)
        for strip in self._strips:
            self._solve_all(strip, start[strip.seen])

    def image(self) -> FittedImage:
        """The image of all exposures."""
        return self._joined(None)

    def without(self, pixels: ExposurePixels) -> FittedImage:
        """The image without one exposure, whose pixels are just as they were added."""
        return self._joined(pixels)

    def _append(
        self, members: Sequence[MemberState], factors: Sequence[Factors | None], own: slice, seen: slice
    ) -> tuple[float, float]:
        """Write the sums of a strip, and room for its image; sum and number of the weights in its rows."""
        strip = _Strip(own, seen, self._file.seek(0, 2))
        sums = strip_sums(self._work, members, factors, seen)
        for array in (*sums.sums, np.zeros(sums.weight.shape)):
            self._write(array)
        self._strips.append(strip)
        filled = sums.filled(strip.inner)
        return float(filled.sum()), float(filled.size)

    def _solve_all(self, strip: _Strip, start: FloatArray) -> None:
        """Put the image of all exposures beside the sums of a strip."""
        sums, _ = self._read(strip)
        solution = sums.solve(start, self._parts.exact, level=self._level)
        self._file.seek(-solution.nbytes, 1)
        self._write(solution)

    def _joined(self, pixels: ExposurePixels | None) -> FittedImage:
        """The image of all strips, an exposure taken out."""
        shape = self._work.frame.shape
        out = FittedImage(np.empty(shape), np.empty(shape, dtype=np.float32))
        for strip in self._strips:
            out.put(strip.own, self._solved(strip, pixels), strip.inner.start)
        return out

    def _solved(self, strip: _Strip, pixels: ExposurePixels | None) -> FittedImage:
        """The image in a strip, an exposure taken out."""
        sums, solution = self._read(strip)
        if pixels is not None and touches(pixels.place, strip.seen):
            sums.remove(within(pixels, strip.seen))
            solution = sums.solve(solution, self._parts.change, of_start=True, level=self._level)
        return FittedImage(solution, sums.weight)

    def _read(self, strip: _Strip) -> tuple[NormalEquations, FloatArray]:
        """The sums of a strip, and the image that follows from them."""
        shape = (strip.seen.stop - strip.seen.start, self._work.frame.shape[1])
        sums, solution = NormalEquations(shape, self._work.workers), np.empty(shape)
        self._file.seek(strip.offset)
        for array in (*sums.sums, solution):
            left = array.data.cast("B")
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise EOFError(f"the file of the sums ends {len(left)} bytes too early")
                left = left[count:]
        return sums, solution

    def _write(self, array: npt.NDArray[np.floating]) -> None:
        """Write an array where the file is."""
        left = array.data.cast("B")
        with self._writing():
            while left:
                left = left[self._file.write(left) :]

    def _writing(self) -> AbstractContextManager[None]:
        """Say in a line where the disk is full, or the folder cannot be written."""
        return writing(self._parts.folder or Path(tempfile.gettempdir()))
