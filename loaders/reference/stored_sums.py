"""The sums of all exposures of a reference, strip by strip: one is in memory, the others wait on disk."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
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

_EXACT = 1e-5
"""Residual of the normal equations of all exposures: below what one of hundreds adds to it."""


@dataclass(frozen=True)
class _Strip:
    """Rows of the frame that are its own, those that are solved with them, and where its arrays begin."""

    own: slice
    seen: slice
    offset: int


class StoredSums:
    """Sums of all exposures over a frame, and the image of all, from which one exposure can be taken out.

    They lie in a file that has no name, and so is gone when the process is, however it ends: 76 bytes a fine
    pixel.

    Parameters
    ----------
    work
        Exposures, frame and options; ``most_pixels`` of these is the size of a strip.
    members, factors
        The exposures, and factors of the weights of some pixels of each.
    start
        Coefficients to begin with, shape (ny, nx).
    folder
        Where the file is; that of the system for temporary ones if None.

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
        folder: Path | None = None,
    ) -> None:
        self._work = work
        self._strips: list[_Strip] = []
        with writing(Path(tempfile.gettempdir()) if folder is None else folder):
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - as long as this lives
            weakref.finalize(self, self._file.close)
            for own, seen in strips_of(work.frame.shape, work.options.most_pixels):
                self._strips.append(_Strip(own, seen, self._file.tell()))
                self._append(strip_sums(work, members, factors, seen), start[seen])

    def image(self) -> FittedImage:
        """The image of all exposures."""
        return self._joined(None, 0.0)

    def without(self, pixels: ExposurePixels, change: float) -> FittedImage:
        """The image without one exposure.

        Parameters
        ----------
        pixels
            The exposure, just as it was added.
        change
            Share of what it added that may be left.
        """
        return self._joined(pixels, change)

    def _append(self, sums: NormalEquations, start: FloatArray) -> None:
        """Write the sums of a strip, and the image that follows from them."""
        for array in (*sums.sums, sums.solve(start, _EXACT)):
            left = array.data.cast("B")
            while left:
                left = left[self._file.write(left) :]

    def _joined(self, pixels: ExposurePixels | None, change: float) -> FittedImage:
        """The image of all strips, an exposure taken out."""
        shape = self._work.frame.shape
        out = FittedImage(np.empty(shape), np.empty(shape, dtype=np.float32))
        for strip in self._strips:
            out.put(strip.own, self._solved(strip, pixels, change), strip.own.start - strip.seen.start)
        return out

    def _solved(self, strip: _Strip, pixels: ExposurePixels | None, change: float) -> FittedImage:
        """The image in a strip, an exposure taken out."""
        shape = (strip.seen.stop - strip.seen.start, self._work.frame.shape[1])
        sums, solution = NormalEquations(shape, self._work.workers), np.empty(shape)
        self._file.seek(strip.offset)
        for array in (*sums.sums, solution):
            self._fill(array)
        if pixels is not None and touches(pixels.place, strip.seen):
            sums.remove(within(pixels, strip.seen))
            solution = sums.solve(solution, change, of_start=True)
        return FittedImage(solution, sums.weight)

    def _fill(self, array: npt.NDArray[np.floating]) -> None:
        """Read an array from where the file is."""
        left = array.data.cast("B")
        while left:
            count = self._file.readinto(left)
            if not count:
                raise EOFError(f"the file of the sums ends {len(left)} bytes too early")
            left = left[count:]
