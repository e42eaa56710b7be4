"""The pixels of the mosaic of a field: a plane that touches the sky at the field's centre, north up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.reference.frame import ReferenceFrame, sky_axes

FloatArray = npt.NDArray[np.float64]

PIXEL_SCALE = 0.11
"""Arcsec along a side of a pixel in the middle: that of the detectors."""

_ARCSEC = np.pi / 648_000


@dataclass(frozen=True)
class Box:
    """Pixels of a mosaic that an image may touch: rows and columns, the last not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def columns(self) -> slice:
        """Its columns in the mosaic."""
        return slice(self.left, self.right)

    def rows(self, first: int, last: int) -> tuple[slice, slice]:
        """Rows from ``first`` to ``last`` that are in it: in the mosaic, and in the box."""
        begin, end = max(first, self.top), max(min(last, self.bottom), first, self.top)
        return slice(begin, end), slice(begin - self.top, end - self.top)

    def common(self, other: Box) -> Box | None:
        """Pixels that two boxes share; None if there are none."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(top, bottom, left, right) if top < bottom and left < right else None


@dataclass(frozen=True)
class MosaicGrid:
    """A gnomonic grid (Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3), x to the west, y north.

    Grids of one field lie on one another but for whole pixels, whatever the season and element.

    Parameters
    ----------
    ra, dec
        Point in degrees ICRS where the plane touches the sky; it is in the middle of a pixel.
    pixel_scale
        Arcsec along a side of a pixel there.
    x_ref, y_ref
        Its pixel, 0-based; it may lie outside.
    shape
        Pixels (ny, nx).
    """

    ra: float
    dec: float
    pixel_scale: float
    x_ref: int
    y_ref: int
    shape: tuple[int, int]

    @property
    def pixel_area(self) -> float:
        """Solid angle of a pixel at the point of tangency, sr."""
        return float((self.pixel_scale * _ARCSEC) ** 2)

    def to_sky(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination, degrees, of pixels, shape (n,)."""
        matrix = _of_plane(self) @ np.stack([np.ones_like(x), x, y])
        vector = np.stack(sky_axes(self.ra, self.dec)).T @ matrix
        ra = np.degrees(np.arctan2(vector[1], vector[0])) % 360.0
        return ra, np.degrees(np.arctan2(vector[2], np.hypot(vector[0], vector[1])))

    def to_pixel(self, ra: FloatArray, dec: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels of positions in degrees within a right angle of the point of tangency, shape (n,)."""
        a, d = np.radians(ra), np.radians(dec)
        vector = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
        radial, east, north = np.stack(sky_axes(self.ra, self.dec)) @ vector
        step = self.pixel_scale * _ARCSEC
        return self.x_ref - east / radial / step, self.y_ref + north / radial / step

    def box(self, frame: ReferenceFrame) -> Box | None:
        """Pixels that an image touches; None if there are none."""
        x, y = self.to_pixel(*_outline(frame))
        low, high = np.floor([y.min(), x.min()]).astype(int), np.ceil([y.max(), x.max()]).astype(int) + 1
        return Box(0, self.shape[0], 0, self.shape[1]).common(
            Box(int(low[0]), int(high[0]), int(low[1]), int(high[1]))
        )

    def outline(self, frame: ReferenceFrame) -> tuple[FloatArray, FloatArray]:
        """Pixels (x, y) of the corners of an image, shape (4,) each."""
        return self.to_pixel(*_outline(frame))

    def into(self, frame: ReferenceFrame) -> FloatArray:
        """The map of pixels into those of an image, shape (3, 3), as one plane sees another from the centre.

        ``(w, w u, w v) = into @ (1, x, y)``, with u, v those of the image.
        """
        turn = np.stack(sky_axes(frame.ra, frame.dec)) @ np.stack(sky_axes(self.ra, self.dec)).T
        pixels = np.eye(3)
        pixels[1:, 0] = frame.middle
        pixels[1:, 1:] = np.linalg.inv(frame.matrix) / _ARCSEC
        return np.asarray(pixels @ turn @ _of_plane(self))


def choose_grid(
    centre: tuple[float, float], frames: Sequence[ReferenceFrame], pixel_scale: float = PIXEL_SCALE
) -> MosaicGrid:
    """Choose the smallest grid about the centre of a field that holds images.

    Parameters
    ----------
    centre
        Of the field, degrees ICRS.
    frames
        Those of the images, at least one.
    pixel_scale
        Arcsec.
    """
    start = MosaicGrid(*centre, pixel_scale, 0, 0, (1, 1))
    x, y = np.concatenate([start.outline(frame) for frame in frames], axis=1)
    left, bottom = int(np.floor(x.min())), int(np.floor(y.min()))
    shape = (int(np.ceil(y.max())) - bottom + 1, int(np.ceil(x.max())) - left + 1)
    return MosaicGrid(*centre, pixel_scale, -left, -bottom, shape)


def _of_plane(grid: MosaicGrid) -> FloatArray:
    """Pixels (1, x, y) to the plane (1, east, north) in radians, shape (3, 3)."""
    step = grid.pixel_scale * _ARCSEC
    return np.array([[1, 0, 0], [grid.x_ref * step, -step, 0], [-grid.y_ref * step, 0, step]])


def _outline(frame: ReferenceFrame) -> tuple[FloatArray, FloatArray]:
    """Sky of the outer corners of an image in order, shape (4,) each."""
    ny, nx = frame.shape
    return frame.to_sky(
        np.array([-0.5, nx - 0.5, nx - 0.5, -0.5]), np.array([-0.5, -0.5, ny - 0.5, ny - 0.5])
    )
