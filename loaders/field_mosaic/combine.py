"""Images on the pixels of a mosaic made one by their inverse variances, some rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loaders.field_mosaic.grid import Box, FloatArray, MosaicGrid
from loaders.field_mosaic.resample import Float32Array

_ROWS = 2**22
"""Pixels of the mosaic that are in memory at once, for each of some ten arrays."""

_SAMPLE = 2**22
"""Pixels from which the statistics of a mosaic are taken."""

_IMAGES_A_PLANE = 32


@dataclass(frozen=True)
class Planes:
    """The arrays of a mosaic, on disk: shape (ny, nx) but for ``context``.

    Parameters
    ----------
    data
        Surface brightness, MJy/sr; NaN where no image has a pixel.
    err
        Standard deviation with sources, MJy/sr; NaN as the data.
    weight
        Sum of the inverse variances without sources, sr²/MJy²; 0 where no image has a pixel.
    var_poisson
        What photons of sources add to the variance, MJy²/sr²; NaN as the data.
    var_rnoise
        Variance without sources, MJy²/sr²; NaN as the data.
    context
        Shape (n, ny, nx): bit k of plane m is set where image 32 m + k counts.
    """

    data: Float32Array
    err: Float32Array
    weight: Float32Array
    var_poisson: Float32Array
    var_rnoise: Float32Array
    context: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Statistics:
    """A mosaic in numbers.

    Parameters
    ----------
    median, deviation
        Median, and mean absolute deviation from the mean, of at most some four million pixels spread over it.
    empty_error
        Median standard deviation of a pixel without sources, of the same.
    fraction_covered
        Share of all pixels with data.
    share
        Shape (n,): share of each image in the pixels with data, by weight.
    """

    median: float
    deviation: float
    empty_error: float
    fraction_covered: float
    share: FloatArray


def planes_on_disk(folder: Path, shape: tuple[int, int], count: int) -> Planes:
    """Make the arrays of a mosaic of some images in files of a folder."""

    def made(name: str, kind: type, size: tuple[int, ...]) -> npt.NDArray[np.generic]:
        return np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.dtype(kind), size)

    names = ("data", "err", "weight", "var_poisson", "var_rnoise")
    n_plane = -(-count // _IMAGES_A_PLANE)
    flat = {name: made(name, np.float32, shape) for name in names}
    return Planes(**flat, context=made("context", np.uint32, (n_plane, *shape)))  # type: ignore[arg-type]


def combine(
    images: Sequence[Float32Array],
    boxes: Sequence[Box],
    skies: FloatArray,
    grid: MosaicGrid,
    planes: Planes,
) -> Statistics:
    """Fill the arrays of a mosaic.

    Images are averaged with their inverse variances without sources as weights: these follow the depth of the
    images, and all pixels of a star have much the same.

    Parameters
    ----------
    images, boxes
        As `loaders.field_mosaic.resample.resample` gives them.
    skies
        Shape (n,): background to take off each.
    grid
        The pixels.
    planes
        Filled.
    """
    ny, nx = grid.shape
    step = max(_ROWS // nx, 1)
    every = max(int(np.ceil(np.sqrt(nx * ny / _SAMPLE))), 1)
    share, sample = np.zeros(len(images)), []
    n_covered = 0
    for first in range(0, ny, step):
        rows = slice(first, min(first + step, ny))
        share += _combine_rows(images, boxes, skies, planes, rows)
        data = planes.data[rows]
        n_covered += int(np.isfinite(data).sum())
        start = -first % every
        kept = np.stack([data[start::every, ::every], planes.var_rnoise[rows][start::every, ::every]])
        sample.append(kept.reshape(2, -1)[:, np.isfinite(kept[0]).ravel()])
    data, empty = np.concatenate(sample, axis=1).astype(np.float64)
    return Statistics(
        float(np.median(data)) if data.size else float("nan"),
        float(np.abs(data - data.mean()).mean()) if data.size else float("nan"),
        float(np.sqrt(np.median(empty))) if data.size else float("nan"),
        n_covered / (nx * ny),
        share / max(n_covered, 1),
    )


def _combine_rows(
    images: Sequence[Float32Array], boxes: Sequence[Box], skies: FloatArray, planes: Planes, rows: slice
) -> FloatArray:
    """Fill some rows; also the pixels that each image is of them, by weight."""
    shape = rows.stop - rows.start, planes.data.shape[1]
    flux, weight, photon = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    context = np.zeros((len(planes.context), *shape), dtype=np.uint32)
    seen = [(k, *box.rows(rows.start, rows.stop)) for k, box in enumerate(boxes)]
    seen = [one for one in seen if one[1].start < one[1].stop]
    for k, outer, inner in seen:
        value, empty, lit = images[k][:, inner]
        counts = np.isfinite(value)
        share = np.where(counts, 1 / empty, np.float32(0))
        at = slice(outer.start - rows.start, outer.stop - rows.start), boxes[k].columns
        flux[at] += np.where(counts, share * (value - np.float32(skies[k])), 0)
        photon[at] += np.where(counts, share**2 * lit, 0)
        weight[at] += share
        bit = np.uint32(1 << k % _IMAGES_A_PLANE)
        context[k // _IMAGES_A_PLANE][at] |= np.where(counts, bit, np.uint32(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        planes.data[rows], planes.var_rnoise[rows] = flux / weight, np.where(weight > 0, 1 / weight, np.nan)
        planes.var_poisson[rows] = photon / weight**2
    planes.err[rows] = np.sqrt(planes.var_rnoise[rows] + planes.var_poisson[rows])
    planes.weight[rows], planes.context[:, rows] = weight, context
    out = np.zeros(len(images))
    for k, outer, inner in seen:
        total = weight[outer.start - rows.start : outer.stop - rows.start, boxes[k].columns]
        empty = images[k][1, inner]
        counts = np.isfinite(empty)
        out[k] = (1 / (empty[counts].astype(np.float64) * total[counts])).sum()
    return out
