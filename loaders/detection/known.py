"""Which of the sources that are known a search begins with, and which it found again by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from loaders.detection.area import on_area, seen_area
from loaders.detection.layer import Layer
from loaders.detection.measure import Detections
from loaders.detection.refine import Sources
from loaders.psf.model import FloatArray

MARGIN = 16.0
"""Distance in detector pixels from the edges of the images within which a search begins with nothing.

A star beyond the edge that an earlier search did not tell is known as a chain of sources on its wings. These
explain its light: beginning with them, a search would never tell it.
"""

Known = tuple[FloatArray, FloatArray, FloatArray]
"""Positions (pixels of the frame) and fluxes of known sources, shape (m,) each."""


def begin_with(layers: list[Layer], known: Known | None, oversampling: int) -> Sources:
    """Known sources that some image shows far enough from its edges.

    Parameters
    ----------
    layers
        The images.
    known
        What is known; None for nothing.
    oversampling
        Pixels of the images per detector pixel, along an axis.

    Returns
    -------
    Sources
        ``known`` of each is its row.
    """
    if known is None:
        return Sources.found(np.empty(0), np.empty(0), np.empty(0))
    x, y, _ = known
    shown = np.zeros(x.size, dtype=bool)
    for layer in layers:
        inner = _inner(seen_area(layer.image.good_pixels()), MARGIN * oversampling)
        shown |= on_area(inner, *layer.place(x, y))
    return Sources(*known, np.arange(x.size, dtype=np.int64)).take(shown)


def _inner(area: npt.NDArray[np.bool_], margin: float) -> npt.NDArray[np.bool_]:
    """Pixels that lie further than a margin from what is not of the area, shape (ny, nx)."""
    distance = distance_transform_edt(np.pad(area, 1))
    return np.asarray(distance[1:-1, 1:-1] > margin)


def recognise(found: Detections, known: Known | None, radius: float) -> Detections:
    """Give sources that were found by themselves the rows of known ones at their places.

    Parameters
    ----------
    found
        What was found.
    known
        What is known; None for nothing.
    radius
        Distance in pixels of the frame within which two are one, if neither has a nearer one.

    Returns
    -------
    Detections
        The same sources; those that lie at the place of a known one have its row.
    """
    if known is None:
        return found
    free = np.setdiff1d(np.arange(known[0].size), found.known)
    free = free[np.isfinite(known[0][free]) & np.isfinite(known[1][free])]
    own = np.flatnonzero(found.known < 0)
    if not (free.size and own.size):
        return found
    ours = np.column_stack([found.x, found.y])[own]
    theirs = np.column_stack(known[:2])[free]
    distance, nearest = (np.asarray(v) for v in cKDTree(theirs).query(ours, distance_upper_bound=radius))
    back = np.asarray(cKDTree(ours).query(theirs)[1])
    rows = np.full(own.size, -1, dtype=np.int64)
    close = np.flatnonzero(np.isfinite(distance))
    mutual = close[back[nearest[close]] == close]
    rows[mutual] = free[nearest[mutual]]
    again = found.known.copy()
    again[own] = rows
    return replace(found, known=again)
