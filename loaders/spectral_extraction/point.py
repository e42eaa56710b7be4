"""Sources whose shape no image shows, taken for points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from loaders.psf.mosaic import at_position, cropped
from loaders.psf.optics import DETECTOR_SIZE, OpticsSettings, optical_psf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.simulation.render import framed
from loaders.spectral_extraction.shape import Shape

BAND = {"GRISM": "F158", "PRISM": "F129"}
"""Filter whose PSF stands for that of an element."""


def point_shape(psf: SplinePsf, x: float, y: float, radius: int) -> Shape:
    """The shape of a point at a direct pixel, which may lie off the detector.

    Parameters
    ----------
    psf
        What `point_psf` made, which reaches ``radius`` pixels.
    x, y
        Direct pixel, 0-based.
    radius
        Pixels from the middle of the stamp to its edge.
    """
    middle = round(x), round(y)
    stamp = np.zeros((2 * radius + 1, 2 * radius + 1))
    at_x, at_y = (np.array([value - whole + radius]) for value, whole in zip((x, y), middle, strict=True))
    draw(stamp, psf, Stars(at_x, at_y, np.ones(1), np.array([radius])))
    return Shape(x, y, middle, stamp / stamp.sum(), 1.0)


@lru_cache(maxsize=4)
def point_psf(detector: str, optical_element: str, x: float, y: float, radius: int) -> SplinePsf:
    """PSF that the optics predict for ``GRISM`` or ``PRISM`` at a pixel, or at the edge nearest to it."""
    near_x, near_y = (np.clip(np.array([value]), 0.0, DETECTOR_SIZE - 1.0) for value in (x, y))
    psf = optical_psf(detector, BAND[optical_element], near_x, near_y, OpticsSettings())
    return SplinePsf.of(framed(at_position(cropped(psf, radius + 1), x, y)))
