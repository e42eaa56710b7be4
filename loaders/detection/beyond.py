"""Stars beyond the edge of an image, told by their wings.

A bright star just beyond the edge lights the pixels inside of it, and what is not explained there is taken
for stars. Its place and flux follow from its wings: not well enough to list it, but well enough to take its
light away. As for stars on the image, places are looked for with a matched filter, here over all pixels that
the wings reach, and are then moved by Gauss–Newton steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, maximum_filter
from scipy.signal import correlate

from loaders.detection.significance import Residual
from loaders.photometry.joint_fit import FRAME, REACH
from loaders.photometry.psf_table import Float32Array, Planes, PsfTable, blend
from loaders.photometry.scene import draw_whole
from loaders.psf.model import FloatArray

#: Distance in detector pixels from the pixels that count within which stars are looked for.
FARTHEST = 20.0

#: Signal-to-noise ratio that the wings of a star must have.
THRESHOLD = 8.0

_WINGS = 24.0
"""Half-width in detector pixels of the square in which wings are compared with the image."""

_APART = 3.0
"""Distance in detector pixels within which only the most significant place is taken at a time."""

_AROUND = 24.0
"""Distance in detector pixels within which no place of the image may explain more: a star near the edge has
wings too."""

_TILE = 96
"""Side in pixels of the tiles within which one PSF is used."""

_PASSES = 3
"""Times that all stars are moved."""

_LONGEST_STEP = 0.5
"""Longest step in detector pixels along an axis."""

_LEAST = 1e-6
"""Information about a flux, as a share of the largest around, below which it counts as so much."""

_DIFFERENCE = 0.05
"""Pixels by which a star is moved to learn how its light changes."""

Part = tuple[int, int, int, int]
"""First row and column, and numbers of rows and columns, of a part of an image; it may reach beyond it."""


@dataclass(frozen=True)
class Wings:
    """An image less its model, and what is needed to tell the wings of stars in it.

    Parameters
    ----------
    residual
        The image less the light of all that is modelled, stars beyond the edge included.
    seen
        Shape (ny, nx): pixels that count, and holes between them.
    table, origin
        The PSF, and the detector coordinates (x, y) of pixel (0, 0).
    scale
        Pixels per detector pixel, along an axis.
    psf_error
        Error of modelled light as a fraction of it.
    """

    residual: Residual
    seen: npt.NDArray[np.bool_]
    table: PsfTable
    origin: tuple[float, float]
    scale: int
    psf_error: float

    def psf_at(self, x: float, y: float) -> Planes:
        """The PSF at a place of the image."""
        nodes = self.table.nodes(np.array([x + self.origin[0]]), np.array([y + self.origin[1]]))
        full = self.table.full
        psf: Planes = blend(full, nodes, 0, np.empty(full.coefficient.shape[1:], dtype=np.float32))
        return psf

    @property
    def reach(self) -> int:
        """Pixels on either side of a star that are compared with its light."""
        return int(np.ceil(min(_WINGS * self.scale, self.table.half_width)))

    def around(self, x: float, y: float) -> Part:
        """The part of the image that is compared with a star."""
        side = 2 * self.reach + 1
        return round(y) - self.reach, round(x) - self.reach, side, side


@dataclass
class _Star:
    """A star beyond the edge: place, flux, flux that the residual is without, and how significant it is."""

    x: float
    y: float
    flux: float
    drawn: float
    strength: float = 0.0


def stars_beyond(wings: Wings, known: FloatArray, ahead: float = 0.0) -> FloatArray:
    """Find stars beyond the edge, and measure them with those that are known.

    Parameters
    ----------
    wings
        The image less its model.
    known
        Stars beyond the edge whose light the model has, shape (3, n): x, y (pixels of the image), flux.
    ahead
        By what factor a star must be more significant than one at any place of the image around. While stars
        of the image are not modelled, sums of many of them look like wings: then this should be large.

    Returns
    -------
    ndarray
        Shape (3, m): those that are significant.
    """
    if not wings.seen.any():
        return known
    stars = [_Star(x, y, flux, flux) for x, y, flux in known.T.tolist()] + list(_found(wings, ahead))
    image = _residual(wings)
    for _ in range(_PASSES):
        stars.sort(key=lambda star: -star.flux)
        for star in stars:
            _move(wings, image, star)
    kept = [(star.x, star.y, star.flux) for star in stars if star.strength > THRESHOLD]
    return np.array(kept, dtype=np.float64).reshape(-1, 3).T


def _found(wings: Wings, ahead: float) -> Iterator[_Star]:
    """Places beyond the edge where a star would explain more than at any place around."""
    pad = int(np.ceil(FARTHEST * wings.scale))
    distance = distance_transform_edt(~np.pad(wings.seen, pad))
    free = (distance > REACH) & (distance <= pad)
    around = round(_AROUND * wings.scale)
    for top, left in product(*(range(0, length, _TILE) for length in free.shape)):
        tile = np.s_[top : top + _TILE, left : left + _TILE]
        if not free[tile].any():
            continue
        rows, columns = free[tile].shape
        part = (top - pad - around, left - pad - around, rows + 2 * around, columns + 2 * around)
        value, flux = _significance(wings, part)
        here = (top - around, left - around, *value.shape)
        value = np.where(_cut(distance <= pad, here), value, 0)
        peak = _peaks(value, _cut(free, here), ahead, wings.scale)
        for row, column in zip(*np.nonzero(peak), strict=True):
            if around <= row < around + rows and around <= column < around + columns:
                yield _Star(column + part[1], row + part[0], float(flux[row, column]), 0.0)


def _peaks(
    value: Float32Array, free: npt.NDArray[np.bool_], ahead: float, scale: int
) -> npt.NDArray[np.bool_]:
    """Places that are more significant than others near them, and than all places of the image around."""
    among = np.where(free, value, 0)
    inside = maximum_filter(np.where(free, 0, value), 2 * round(_AROUND * scale) + 1)
    top = maximum_filter(among, 2 * round(_APART * scale) + 1)
    return np.asarray((among == top) & (among > ahead * inside) & (among > THRESHOLD))


def _significance(wings: Wings, part: Part) -> tuple[Float32Array, Float32Array]:
    """How significant a star would be at every pixel of a part, and its best flux there."""
    top, left, rows, columns = part
    reach, residual = wings.reach, wings.residual
    around = (top - reach, left - reach, rows + 2 * reach, columns + 2 * reach)
    middle = (left + columns // 2, top + rows // 2)
    light = _light(wings.psf_at(*middle), *middle, wings.around(*middle))
    sums = (
        correlate(_cut(_inner(image), around), kernel, mode="valid", method="fft")
        for image, kernel in (
            (residual.weighted, light),
            (residual.weight, light**2),
            (residual.weighted_light, light),
        )
    )
    asked, information, others = sums
    # Transforms leave noise where there is nothing.
    information = np.maximum(information, max(_LEAST * float(information.max()), 1e-30))
    error = np.sqrt(information + (wings.psf_error * others) ** 2)
    return (asked / error).astype(np.float32), (asked / information).astype(np.float32)


def _residual(wings: Wings) -> tuple[Float32Array, Float32Array]:
    """The residual, and its inverse variance with the error of modelled light."""
    weighted, weight, light = (_inner(image) for image in wings.residual)
    known = weight > 0
    residual = np.divide(weighted, weight, out=np.zeros_like(weight), where=known)
    doubt = weight + np.float32(wings.psf_error**2) * light**2
    return residual, np.divide(weight**2, doubt, out=np.zeros_like(weight), where=known)


def _move(wings: Wings, image: tuple[Float32Array, Float32Array], star: _Star) -> None:
    """Move a star to where it fits best, and bring the residual up to date.

    Parameters
    ----------
    wings
        The PSF and the scale.
    image
        Residual, which is updated, and inverse variance.
    star
        The star, which is updated.
    """
    part, psf = wings.around(star.x, star.y), wings.psf_at(star.x, star.y)
    before = _cut(image[0], part)
    weight = _cut(image[1], part)
    target = before + np.float32(star.drawn) * _light(psf, star.x, star.y, part)
    dx, dy = _step(psf, star, part, (target, weight), _LONGEST_STEP * wings.scale)
    star.x, star.y = star.x + dx, star.y + dy
    light = _light(psf, star.x, star.y, part)
    information = float(np.sum(weight * light**2, dtype=np.float64))
    asked = float(np.sum(weight * light * target, dtype=np.float64))
    star.flux = star.drawn = max(asked / information, 0.0) if information > 0 else 0.0
    star.strength = star.flux * float(np.sqrt(information))
    _add(image[0], part, target - np.float32(star.flux) * light - before)


def _step(
    psf: Planes, star: _Star, part: Part, pixels: tuple[Float32Array, Float32Array], longest: float
) -> tuple[float, float]:
    """The Gauss–Newton step of a position; a place is known no worse than to the longest step."""
    target, weight = (plane.ravel().astype(np.float64) for plane in pixels)
    light = _light(psf, star.x, star.y, part)
    slopes = (
        (_light(psf, star.x + dx, star.y + dy, part) - _light(psf, star.x - dx, star.y - dy, part))
        / (2 * _DIFFERENCE)
        for dx, dy in ((_DIFFERENCE, 0.0), (0.0, _DIFFERENCE))
    )
    design = np.stack([light, *(star.flux * slope for slope in slopes)]).reshape(3, -1).astype(np.float64)
    matrix = (design * weight) @ design.T + np.diag([0.0, longest**-2, longest**-2])
    if matrix[0, 0] <= 0:
        return 0.0, 0.0
    right = (design * weight) @ (target - star.flux * design[0])
    _, dx, dy = np.clip(np.linalg.solve(matrix, right), -longest, longest)
    return float(dx), float(dy)


def _light(psf: Planes, x: float, y: float, part: Part) -> Float32Array:
    """The light of a star of unit flux in a part of the image."""
    image = np.zeros(part[2:], dtype=np.float32)
    draw_whole(image, psf, x - part[1], y - part[0], 1.0)
    return image


def _inner(image: Float32Array) -> Float32Array:
    """An image without its frame; a view."""
    return image[FRAME:-FRAME, FRAME:-FRAME]


def _overlap(shape: tuple[int, ...], part: Part) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a part is on an image, and where the image is on the part."""
    on_image, on_part = [], []
    for first, count, length in zip(part[:2], part[2:], shape, strict=True):
        begin = min(max(first, 0), length)
        end = max(min(first + count, length), begin)
        on_image.append(slice(begin, end))
        on_part.append(slice(begin - first, end - first))
    return (on_image[0], on_image[1]), (on_part[0], on_part[1])


def _cut(image: npt.NDArray[Any], part: Part) -> npt.NDArray[Any]:
    """A part of an image, zero beyond it."""
    out = np.zeros(part[2:], dtype=image.dtype)
    on_image, on_part = _overlap(image.shape, part)
    out[on_part] = image[on_image]
    return out


def _add(image: Float32Array, part: Part, change: Float32Array) -> None:
    """Add a change to a part of an image, as far as that is on it."""
    on_image, on_part = _overlap(image.shape, part)
    image[on_image] += change[on_part]
