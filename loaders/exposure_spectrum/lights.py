"""What is known of the light of objects before their spectra are: of direct images, else of the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.exposure_spectrum.warning_bits import SpectrumBit
from loaders.spectral_extraction.exposure import DirectSources, direct_sources
from loaders.spectral_extraction.location import Places
from loaders.spectral_extraction.product import RADIUS
from loaders.spectral_extraction.shape import Shape
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.wfi.level2 import Level2Image
from loaders.wfi.quality import SATURATED, usable_pixels

_CORE = 3
"""Side of the square about the middle of an object that must not be saturated for its shape to be taken."""


@dataclass(frozen=True)
class Lights:
    """Shapes and fluxes of objects, and what is to be known of them: bits, shape (n,)."""

    sources: DirectSources
    warning: npt.NDArray[np.int64]


def lights(
    direct: Level2Image, seen: Places, catalogued: FloatArray, point: Callable[[int], Shape]
) -> Lights:
    """Take shapes and fluxes from a direct image, and where it does not show them whole from the catalog.

    Parameters
    ----------
    direct
        The direct exposure.
    seen
        Objects in its pixels.
    catalogued
        Shape (n,): flux density by the catalog, W m⁻² µm⁻¹; NaN where it has none.
    point
        Shape of a point at the place of object n.
    """
    found = direct_sources(direct, seen.x, seen.y, RADIUS)
    on, burnt = _is_on(direct, seen), _is_burnt(direct, seen)
    warning = np.zeros(seen.x.size, dtype=np.int64)
    warning[~on] |= SpectrumBit.DIRECT_OFF_IMAGE
    warning[burnt] |= SpectrumBit.SATURATED
    shapes, flux = list(found.shape), found.flux_density.copy()
    for n, shape in enumerate(found.shape):
        if shape is not None and on[n] and not burnt[n]:
            continue
        is_known = bool(catalogued[n] > 0)
        shapes[n] = point(n) if is_known else None
        flux[n] = catalogued[n] if is_known else np.nan
        warning[n] |= SpectrumBit.ASSUMED_SHAPE if is_known else SpectrumBit.NO_LIGHT
    return Lights(DirectSources(shapes, flux), warning)


def _is_on(image: Level2Image, seen: Places) -> npt.NDArray[np.bool_]:
    """Whether the middle of each object is on an image."""
    ny, nx = image.shape
    return np.asarray((np.abs(seen.x - (nx - 1) / 2) <= nx / 2) & (np.abs(seen.y - (ny - 1) / 2) <= ny / 2))


def _is_burnt(image: Level2Image, seen: Places) -> npt.NDArray[np.bool_]:
    """Whether a pixel in the middle of each object saturated so early that an image has no slope of it."""
    usable = usable_pixels(image.data, image.err, image.var_poisson, image.dq)
    beside = maximum_filter(((image.dq & np.uint32(SATURATED)) != 0) & ~usable, _CORE, mode="constant")
    burnt, on = np.zeros(seen.x.size, dtype=bool), _is_on(image, seen)
    row, column = (
        np.clip(np.rint(place[on]).astype(int), 0, size - 1)
        for place, size in zip((seen.y, seen.x), image.shape, strict=True)
    )
    burnt[on] = beside[row, column]
    return burnt
