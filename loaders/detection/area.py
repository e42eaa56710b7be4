"""The part of an image in which sources can be: pixels that count, and holes between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes

from loaders.psf.model import FloatArray


def seen_area(good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels that count, and holes between them, shape (ny, nx)."""
    return np.asarray(binary_fill_holes(good))


def on_area(area: npt.NDArray[np.bool_], x: FloatArray, y: FloatArray) -> npt.NDArray[np.bool_]:
    """Places whose pixel, or the nearest one of the image, is marked, shape (n,)."""
    row = np.clip(np.rint(y), 0, area.shape[0] - 1).astype(np.int64)
    column = np.clip(np.rint(x), 0, area.shape[1] - 1).astype(np.int64)
    return np.asarray(area[row, column])
