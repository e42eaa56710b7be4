"""An image of a span laid on another: its light, its sky, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.photometry.image import PixelImage
from loaders.reference.frame import ReferenceFrame
from loaders.reference.kernels import Float32Array
from loaders.reference.product import StoredReference
from loaders.rejection import Rejected
from loaders.season_reference.resample import (
    AnyFloat,
    Displacement,
    displaced,
    gradient,
    gradient_noise,
    unit_places,
)

BoolArray = npt.NDArray[np.bool_]

PSF_ERROR = 0.05
"""Error of one image as another shows it, as a fraction of the brightest light within a detector pixel: PSFs
of days differ."""

FARTHEST, MOST_LINEAR = 2.0, 0.1
"""Pixels by which images may be displaced, and by which that may vary within them."""

_STEPS, _CLIP = 5, 4.0
_STILL = 1e-4
"""Pixels by which the last step may move the image."""

_ROWS = 256


@dataclass(frozen=True)
class _Base:
    """What an image is laid on: its pixels, their slopes along x and y, and variances, shape (ny, nx) each.

    ``deviation`` is that of the difference of the two images, ``variance`` of the pixels alone.
    """

    flux: Float32Array
    slopes: tuple[AnyFloat, AnyFloat]
    variance: Float32Array
    deviation: Float32Array
    usable: BoolArray


@dataclass(frozen=True)
class Match:
    """How an image lies on the one it is matched with: ``image(u + by(u)) = scale × other(u) + sky``.

    Parameters
    ----------
    scale
        Its light over that of the other.
    sky
        Its sky less that of the other, per fine pixel.
    by
        Where it shows what the other has, fine pixels.
    """

    scale: float
    sky: float
    by: Displacement


NO_MATCH = Match(1.0, 0.0, Displacement(np.zeros(2), np.zeros((2, 2))))
"""How an image lies on itself."""


def claimed(frame: ReferenceFrame, other: ReferenceFrame) -> Displacement:
    """Where the frame of an image says that it shows what another has.

    Raises
    ------
    Rejected
        Code ``other_frame`` if the pixels of the two are not those of one frame but for a small displacement.
    """
    if (frame.shape, frame.oversampling) != (other.shape, other.oversampling):
        raise _other_frame(f"it has {frame.shape} pixels, {frame.oversampling} a detector pixel; the others")
    (mx, my), ny, nx = other.middle, *other.shape
    x, y = np.array([mx, nx - 1.0, mx]), np.array([my, my, ny - 1.0])
    moved = np.stack(frame.projection.to_pixel(*other.to_sky(x, y))) - np.stack([x, y])
    by = Displacement(moved[:, 0], moved[:, 1:] - moved[:, :1])
    if not np.isfinite(moved).all() or np.abs(by.shift).max() > FARTHEST or by.most_linear > MOST_LINEAR:
        raise _other_frame(f"it lies {np.hypot(*by.shift):.2f} fine pixels off, or turned; the others")
    return by


def match(image: PixelImage, other: StoredReference, begin: Displacement) -> Match:
    """Lay an image on another of the same frame by least squares over all usable pixels.

    Parameters
    ----------
    image
        The image.
    other
        What it is laid on.
    begin
        Where to begin.

    Raises
    ------
    Rejected
        Code ``misfit`` if it moves farther than images of one frame do, or shows other light.
    """
    base = _base(image, other)
    data = np.where(image.usable, image.data, 0).astype(np.float32)
    found = Match(1.0, 0.0, begin)
    for _ in range(_STEPS):
        values = displaced(data, found.by)
        scale, sky, moved = _step(values, base, found)
        by = Displacement(found.by.shift - moved.shift, found.by.linear - moved.linear)
        found = Match(scale, sky, by)
        if not 0.5 < scale < 2 or np.abs(by.shift).max() > FARTHEST or by.most_linear > MOST_LINEAR:
            what = f"it shows {scale:.2f} times the light of the others, {np.hypot(*by.shift):.2f} pixels off"
            raise Rejected(image.name, what, "Look at the page of the image: roman-db report", "misfit")
        if np.abs(moved.shift).max() + moved.most_linear < _STILL:
            break
    return found


def _base(image: PixelImage, other: StoredReference) -> _Base:
    """What an image is laid on."""
    flux = np.where(other.image.usable, other.image.data, 0).astype(np.float32)
    floor = np.float32(PSF_ERROR) * maximum_filter(np.abs(flux), 2 * other.frame.oversampling + 1)
    variance = other.image.noise.variance(flux)
    deviation = np.sqrt(image.noise.variance(flux) + variance + floor**2)
    slopes = gradient(flux, 1), gradient(flux, 0)
    return _Base(flux, slopes, variance, deviation, image.usable & other.image.usable)


def _step(values: AnyFloat, base: _Base, before: Match) -> tuple[float, float, Displacement]:
    """One step of the least squares: scale, sky, and how far the other has to move.

    The noise of the base is in the design, too, and would make all but the sky too small: what it adds to the
    diagonal is taken out (Fuller 1987, Measurement Error Models, section 2.2).
    """
    ny, nx = base.flux.shape
    x, y = unit_places(nx)[None, :], unit_places(ny)
    left, right = np.zeros((8, 8)), np.zeros(8)
    slope_noise = gradient_noise()
    for first in range(0, ny, _ROWS):
        rows = slice(first, first + _ROWS)
        deviation = base.deviation[rows]
        pull = (values[rows] - before.scale * base.flux[rows] - before.sky) / deviation
        good = base.usable[rows] & (np.abs(pull) < _CLIP)
        gx, gy = base.slopes[0][rows], base.slopes[1][rows]
        one, right_x = np.ones_like(gx), np.broadcast_to(x, gx.shape)
        upper_y = np.broadcast_to(y[rows, None], gx.shape)
        columns = [base.flux[rows], one, gx, gy, gx * right_x, gx * upper_y, gy * right_x, gy * upper_y]
        inverse = 1 / deviation[good].astype(np.float64)
        design = np.stack([column[good] for column in columns]) * inverse
        left += design @ design.T
        right += design @ (values[rows][good] * inverse)
        noise = base.variance[rows][good] * inverse**2
        by_x, by_y = (float(slope_noise * noise @ place[good] ** 2) for place in (right_x, upper_y))
        alike = slope_noise * noise.sum()
        left -= np.diag([noise.sum(), 0, alike, alike, by_x, by_y, by_x, by_y])
    scale, sky, *moved = np.linalg.lstsq(left, right, rcond=None)[0]
    e = np.array(moved) / scale
    return float(scale), float(sky), Displacement(e[:2], e[2:].reshape(2, 2))


def _other_frame(what: str) -> Rejected:
    remedy = "Make the images of the season again: roman-db run eight-day --redo"
    return Rejected("reference image", f"{what} do not", remedy, "other_frame")
