"""The shape of a source as the direct image shows it, and its light put through an order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.render import framed, stamp_radius
from loaders.spectral_extraction.path import Path
from loaders.spectral_geometry.polynomial import FloatArray


@dataclass(frozen=True)
class Shape:
    """Where the light of a source is in the direct image.

    Parameters
    ----------
    x, y
        Direct pixel of the source, 0-based.
    corner
        Where the middle of the stamp lies, x, y: a pixel of the direct image, between pixels if it was moved.
    stamp
        Shape (n, n), n odd: share of the light in each pixel.
    total
        The light in it, in the unit of the direct image.
    """

    x: float
    y: float
    corner: tuple[float, float]
    stamp: FloatArray
    total: float

    @property
    def radius(self) -> int:
        """Pixels from the middle of the stamp to its edge."""
        return int(self.stamp.shape[0]) // 2

    @property
    def fwhm(self) -> float:
        """Full width at half maximum along y, pixels: that of the light summed along x, between pixels."""
        profile = self.stamp.sum(axis=1)
        peak = int(np.argmax(profile))
        return _half_width(profile[peak:]) + _half_width(profile[peak::-1])

    def moved(self, x: float, y: float) -> Shape:
        """The same light of a source at another pixel, such as that of another exposure of the same roll."""
        return replace(self, x=x, y=y, corner=(self.corner[0] - self.x + x, self.corner[1] - self.y + y))

    @cached_property
    def spline(self) -> SplinePsf:
        """The stamp as splines, which can be drawn between pixels."""
        node = np.zeros(1)
        return SplinePsf.of(framed(EffectivePsf(self.stamp[None, None], 1, node, node)))


def _half_width(profile: FloatArray) -> float:
    """Pixels from the first, which is the peak, to where it falls to half; to its end where it does not."""
    half = profile[0] / 2
    below = np.flatnonzero(profile < half)
    if not below.size:
        return float(profile.size - 1)
    first = int(below[0])
    return float(first - 1 + (profile[first - 1] - half) / (profile[first - 1] - profile[first]))


def shape_of(
    image: FloatArray,
    x: float,
    y: float,
    radius: int,
    owner: tuple[npt.NDArray[np.int64], int] | None = None,
) -> Shape | None:
    """Cut the shape of a source out of a direct image.

    Parameters
    ----------
    image
        Shape (ny, nx): the direct image without background; NaN counts as dark.
    x, y
        Direct pixel of the source; it may lie off the image, if the stamp does not.
    radius
        Pixels from the middle of the stamp to its edge.
    owner
        Shape (ny, nx): whose each pixel is, and which number this source has; the pixels of others count as
        dark. None if all are this source's.

    Returns
    -------
    None where the image shows no light there.
    """
    if not (np.isfinite(x) and np.isfinite(y)):
        return None
    middle = round(x), round(y)
    stamp = np.nan_to_num(_cut(image, middle, radius))
    if owner is not None:
        stamp = np.where(_cut(owner[0], middle, radius) == owner[1], stamp, 0.0)
    total = float(stamp.sum())
    return Shape(x, y, middle, stamp / total, total) if total > 0 else None


def _cut(image: npt.NDArray[np.generic], middle: tuple[int, int], radius: int) -> FloatArray:
    """Square around a pixel, zero beyond the image."""
    stamp = np.zeros((2 * radius + 1, 2 * radius + 1))
    x0, y0 = middle[0] - radius, middle[1] - radius
    rows = slice(max(y0, 0), max(min(y0 + stamp.shape[0], image.shape[0]), 0))
    columns = slice(max(x0, 0), max(min(x0 + stamp.shape[1], image.shape[1]), 0))
    part = image[rows, columns]
    if part.size:
        at = rows.start - y0, columns.start - x0
        stamp[at[0] : at[0] + part.shape[0], at[1] : at[1] + part.shape[1]] = part
    return stamp


@dataclass(frozen=True)
class Box:
    """A part of an image: its first pixel x, y and its size (ny, nx)."""

    x: int
    y: int
    size: tuple[int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        """The part, as an index of the image."""
        return slice(self.y, self.y + self.size[0]), slice(self.x, self.x + self.size[1])


def box_of(shape: Shape, steps: Path, image: tuple[int, int]) -> Box:
    """The part of an image into which the light along a path falls; of size zero where none does.

    Parameters
    ----------
    shape, steps
        The source and its path.
    image
        Shape (ny, nx) of the image.
    """
    if not steps.y.size:
        return Box(0, 0, (0, 0))
    reach = shape.radius + 1
    edges = []
    for values, size in ((steps.x, image[1]), (steps.y, image[0])):
        first = int(np.clip(np.floor(values.min()) - reach, 0, size))
        edges += [first, int(np.clip(np.ceil(values.max()) + reach + 1, first, size))]
    return Box(edges[0], edges[2], (edges[3] - edges[2], edges[1] - edges[0]))


def dispersed(shape: Shape, steps: Path, rate: FloatArray, box: Box) -> FloatArray:
    """Image of the light of a source along a path.

    Parameters
    ----------
    shape, steps
        The source and its path, in steps of a pixel at most.
    rate
        Shape (n,): electrons/s in each step.
    box
        Which part of the image.

    Returns
    -------
    Shape ``box.size``, electrons/s.
    """
    image = np.zeros(box.size)
    if image.size:
        x = shape.corner[0] - shape.x + steps.x - box.x
        y = shape.corner[1] - shape.y + steps.y - box.y
        radius = np.full(x.size, stamp_radius(shape.spline))
        draw(image, shape.spline, Stars(x, y, rate, radius))
    return image
