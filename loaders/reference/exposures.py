"""Exposures as references take them: in nJy, and no more in memory than fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from loaders.input_file import LoadedFile
from loaders.photometry.image import PixelImage
from loaders.photometry.saturated import without_blocks
from loaders.reference.build import ExposureImage
from loaders.rejection import Rejected, unexpected
from loaders.wfi.level2 import read_level2
from loaders.wfi.quality import SATURATED, usable_pixels

#: Bytes of pixels that are kept between the passes over the exposures.
MEMORY = 2 << 30

_BYTES_A_PIXEL = 10


def read_exposure(path: Path) -> ExposureImage:
    """Read a Level-2 file, blocks of saturated pixels taken out.

    Raises
    ------
    Rejected
        If it can't be used.
    """
    LoadedFile(path, None, None).require_unchanged()
    image = read_level2(path)
    scale = np.float32(image.njy_per_unit)
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    pixels = PixelImage.from_calibrated(
        image.data * scale,
        image.err * scale,
        image.var_poisson * scale**2,
        usable,
        (image.dq & np.uint32(SATURATED)) != 0,
        name=path.name,
    )
    return ExposureImage(without_blocks(pixels), image.projection)


class ExposureStore:
    """Exposures by number; those that fit into memory are read once.

    Parameters
    ----------
    files
        Files of the exposures, as they were when they were loaded.
    memory
        Bytes that may be kept.
    """

    def __init__(self, files: Sequence[LoadedFile], memory: int = MEMORY) -> None:
        self._files, self._left = files, memory
        self._kept: dict[int, ExposureImage] = {}

    def __call__(self, number: int) -> ExposureImage:
        """Exposure of a number."""
        if number in self._kept:
            return self._kept[number]
        exposure = read_exposure(self._files[number].path)
        size = exposure.image.data.size * _BYTES_A_PIXEL
        if size <= self._left:
            self._kept[number] = exposure
            self._left -= size
        return exposure

    def sort_out(self) -> tuple[list[int], dict[int, Rejected]]:
        """Numbers of the exposures whose files can be used, and what is said of each of the others."""
        unusable = {}
        for number, file in enumerate(self._files):
            try:
                file.require_unchanged()
                self(number)
            except Rejected as rejected:
                unusable[number] = rejected
            except Exception as error:  # noqa: BLE001 - a fault of ours costs this exposure, not all others
                unusable[number] = unexpected(file.path, error)
        return [number for number in range(len(self._files)) if number not in unusable], unusable

    def only(self, numbers: Sequence[int]) -> ExposureStore:
        """The exposures of some numbers, numbered anew; what is kept of them is shared."""
        chosen = ExposureStore([self._files[number] for number in numbers], self._left)
        chosen._kept = {new: self._kept[old] for new, old in enumerate(numbers) if old in self._kept}
        return chosen
