"""The mosaic of a field from images of its detectors: one of them in memory at a time, the others on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loaders.field_mosaic.combine import Planes, Statistics, combine, planes_on_disk
from loaders.field_mosaic.grid import Box, FloatArray, MosaicGrid, choose_grid
from loaders.field_mosaic.resample import PLANES, Float32Array, resample
from loaders.field_mosaic.sky import Skies, differences, solve_skies
from loaders.reference.frame import ReferenceFrame
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected


@dataclass(frozen=True)
class Part:
    """An image in a mosaic, or why it is not in it.

    Parameters
    ----------
    sky, sky_err
        Background that was taken off, MJy/sr, see `Skies`.
    n_overlap
        Images that overlap it.
    share
        Its share in the pixels with data, by weight.
    refused
        None where it is in.
    """

    sky: float
    sky_err: float
    n_overlap: int
    share: float
    refused: Rejected | None


@dataclass(frozen=True)
class Mosaic:
    """A mosaic, its arrays on disk, and what became of the images, in their order.

    ``oversampling`` is that of the coarsest image in it.
    """

    grid: MosaicGrid
    planes: Planes
    statistics: Statistics
    oversampling: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Laid:
    """An image on the pixels of the mosaic."""

    number: int
    box: Box
    pixels: Float32Array


def build_mosaic(
    load: Callable[[int], StoredReference],
    frames: Sequence[ReferenceFrame],
    centre: tuple[float, float],
    scratch: Path,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Mosaic:
    """Put images onto one grid, match their backgrounds, and average them where they overlap.

    Parameters
    ----------
    load
        Gives the image of a number from 0 on; each is asked for once.
    frames
        Their frames.
    centre
        Of the field, degrees ICRS.
    scratch
        Folder for files of 12 bytes a pixel of every image and of 24 bytes a pixel of the mosaic; it has to
        be there as long as the mosaic is.
    progress
        Told how many steps of how many are done.

    Raises
    ------
    Rejected
        That of the first image, if none can be used.
    """
    grid = choose_grid(centre, frames)
    laid: list[_Laid] = []
    refused: dict[int, Rejected] = {}
    for number in range(len(frames)):
        try:
            laid.append(_lay(number, load(number), grid, scratch))
        except Rejected as error:
            refused[number] = error
        progress(number + 1, len(frames) + 1)
    if not laid:
        raise refused[0]
    images, boxes = [one.pixels for one in laid], [one.box for one in laid]
    skies = solve_skies(len(laid), differences(images, boxes))
    planes = planes_on_disk(scratch, grid.shape, len(laid))
    statistics = combine(images, boxes, skies.value, grid, planes)
    progress(len(frames) + 1, len(frames) + 1)
    coarsest = min(frames[one.number].oversampling for one in laid)
    return Mosaic(grid, planes, statistics, coarsest, _parts(laid, skies, statistics.share, refused))


def _lay(number: int, reference: StoredReference, grid: MosaicGrid, scratch: Path) -> _Laid:
    """Put an image onto the grid."""
    box = grid.box(reference.frame)
    assert box is not None, "the grid holds all frames"
    path = scratch / f"image_{number}.npy"
    pixels = np.lib.format.open_memmap(path, "w+", np.dtype(np.float32), (PLANES, *box.shape))
    resample(reference, grid, box, pixels)
    if not np.isfinite(pixels[0]).any():
        what = "no pixel of the mosaic lies on usable pixels of the image"
        raise Rejected(reference.image.name, what, "Look at its page: roman-db report", "nothing_usable")
    return _Laid(number, box, pixels)


def _parts(
    laid: Sequence[_Laid], skies: Skies, share: FloatArray, refused: dict[int, Rejected]
) -> tuple[Part, ...]:
    """What became of all images, in their order."""
    parts = {number: Part(0.0, 0.0, 0, 0.0, why) for number, why in refused.items()}
    for k, one in enumerate(laid):
        sky = float(skies.value[k]), float(skies.error[k]), int(skies.n_overlap[k])
        parts[one.number] = Part(*sky, float(share[k]), None)
    return tuple(parts[number] for number in sorted(parts))
