"""A cutout of a reference image as finder: north up, east left, in levels of grey."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from loaders.reference.frame import ReferenceFrame
from loaders.report.pixels import shrink, stretch

FloatArray = npt.NDArray[np.float64]
Levels = npt.NDArray[np.uint8]

#: Pixels of a finder along an axis.
SIDE = 401

#: Share of a finder that must be on the image.
_ENOUGH = 0.25

_BLANK = 128


def cut_out_north_up(
    data: npt.NDArray[np.floating], frame: ReferenceFrame, place: tuple[float, float], half: float
) -> FloatArray | None:
    """Pixels about a place by linear interpolation, first row north, first column east.

    Parameters
    ----------
    data
        Shape (ny, nx): the reference image; read only where it is needed.
    frame
        Its pixels on the sky.
    place
        Right ascension and declination of the middle, degrees ICRS.
    half
        Half the side, arcsec.

    Returns
    -------
    ndarray or None
        Shape (`SIDE`, `SIDE`), NaN beyond the image; None where little of it is on the image.
    """
    offset = np.linspace(-half, half, SIDE)
    north, east = np.meshgrid(-offset, -offset, indexing="ij")
    across, up = np.linalg.inv(frame.matrix) @ np.stack([east.ravel(), north.ravel()])
    x_0, y_0 = (float(one[0]) for one in frame.projection.to_pixel(*(np.array([one]) for one in place)))
    if not (np.isfinite(x_0) and np.isfinite(y_0)):
        return None
    x, y = x_0 + across, y_0 + up
    ny, nx = data.shape
    left, bottom = max(int(np.floor(x.min())), 0), max(int(np.floor(y.min())), 0)
    piece = np.asarray(data[bottom : int(np.ceil(y.max())) + 1, left : int(np.ceil(x.max())) + 1], np.float64)
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    if piece.size == 0 or inside.mean() < _ENOUGH:
        return None
    found = map_coordinates(piece, np.stack([y - bottom, x - left]), order=1, mode="nearest")
    return np.where(inside, found, np.nan).reshape(SIDE, SIDE)


def grey_levels(values: npt.NDArray[np.floating]) -> Levels:
    """Levels from 0 (dark sky) to 255 (bright stars), same shape; what is NaN is in between."""
    level = np.ma.filled(np.clip(stretch(values)(values), 0, 1), np.nan) * 255
    return np.where(np.isfinite(level), np.nan_to_num(level), _BLANK).astype(np.uint8)


def small_levels(data: npt.NDArray[np.floating], largest: int) -> tuple[Levels, int]:
    """A whole image in levels of grey, means of blocks of so many pixels, first row as in the image."""
    small, step = shrink(np.asarray(data), largest)
    return grey_levels(small), step
