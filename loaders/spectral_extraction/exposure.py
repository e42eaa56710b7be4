"""Level-2 files as what extraction takes: direct images, dispersed exposures, and sources in their pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.stats import sigma_clipped_stats
from roman_datamodels.dqflags import pixel as dq_flag
from scipy.spatial import cKDTree

from loaders.rejection import Rejected
from loaders.simulation.distortion import distortion
from loaders.simulation.instrument_tables import effective_area
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.shape import Shape, shape_of
from loaders.spectral_geometry.polynomial import FloatArray
from loaders.wfi.level2 import Level2Image, read_level2
from loaders.wfi.product_file import level2_model
from loaders.wfi.wcs import projection_of_wcs

_BAD = np.uint32(dq_flag.DO_NOT_USE.value)
"""What is not used; pixels that saturated late have slopes by the reads before, and are."""
BEYOND = 2000.0
"""Pixels beyond the edges up to which direct positions are known: light of other orders comes from so far."""
_LIGHT = 2.99792458e14
"""Speed of light, µm/s."""
_NJY = 1e-35
"""W m⁻² Hz⁻¹ of one nJy."""


@dataclass(frozen=True)
class DispersedExposure:
    """A dispersed exposure in electrons/s, and the detector's pixel (x, y) at which its window begins."""

    image: Level2Image
    frame: SpectralFrame
    corner: tuple[int, int]


def read_dispersed(path: Path, gain: float) -> DispersedExposure:
    """Read a dispersed exposure; ``gain`` in electrons per DN.

    Raises
    ------
    Rejected
        The codes of `loaders.wfi.level2.read_level2`, and ``not_dispersed``.
    """
    image = read_level2(path)
    element, detector = image.metadata.optical_element, image.metadata.detector
    if element not in ("GRISM", "PRISM"):
        remedy = "Give an exposure through GRISM or PRISM; direct ones go beside it"
        raise Rejected(str(path), f"it was taken through {element}", remedy, "not_dispersed")
    with level2_model(path, pixels=True) as model:
        wide = projection_of_wcs(lambda: model.meta.wcs, image.shape, path, BEYOND)
        corner = _corner(model.meta.wcs, detector)
        read = np.array(model.var_rnoise, dtype=np.float64) * gain**2
    rate = image.data.astype(np.float64) * gain
    bad = (image.dq & _BAD) != 0
    good = ~bad & np.isfinite(rate) & (image.var_poisson > 0)
    poisson = float(image.var_poisson[good].sum(dtype=np.float64) * gain**2 / rate[good].sum())
    image = replace(image, projection=wide)
    return DispersedExposure(image, SpectralFrame(rate, read, poisson, bad), corner)


def _corner(wcs: object, detector: str) -> tuple[int, int]:
    """Pixel of the detector at which a window begins; 0, 0 where the WCS does not tell."""
    if "v2v3" not in wcs.available_frames:  # type: ignore[attr-defined]
        return 0, 0
    v2, v3 = wcs.get_transform("detector", "v2v3")(0.0, 0.0)  # type: ignore[attr-defined]
    x, y = distortion(detector).to_pixel(np.array(v2), np.array(v3))
    return round(float(x)), round(float(y))


@dataclass(frozen=True)
class DirectSources:
    """Sources in a direct image; arrays and lists of n.

    ``shape`` is None where it shows no light; ``flux_density`` in W m⁻² µm⁻¹ at its filter's mean wavelength,
    NaN there.
    """

    shape: list[Shape | None]
    flux_density: FloatArray


def direct_sources(image: Level2Image, x: FloatArray, y: FloatArray, radius: int) -> DirectSources:
    """Shapes and fluxes of sources at pixels of a direct image, each pixel to the source closest to it.

    Parameters
    ----------
    image
        The direct exposure.
    x, y
        Shape (n,): its pixels, 0-based.
    radius
        Half the width of a shape, pixels.
    """
    light = np.where((image.dq & _BAD) != 0, np.nan, image.data.astype(np.float64))
    light -= sigma_clipped_stats(light[np.isfinite(light)], sigma=3.0)[1]
    owner = _closest(x, y, image.shape)
    shapes = [shape_of(light, *p, radius, (owner, n)) for n, p in enumerate(zip(x, y, strict=True))]
    band = effective_area(image.metadata.detector, image.metadata.optical_element)
    wavelength = float(np.average(band.wavelength, weights=band.area)) * 1e6
    total = np.array([np.nan if one is None else one.total for one in shapes], dtype=np.float64)
    return DirectSources(shapes, by_wavelength(total * image.njy_per_unit, wavelength))


def by_wavelength(flux: FloatArray, wavelength: float | FloatArray) -> FloatArray:
    """Flux densities in W m⁻² µm⁻¹ of some in nJy at wavelengths in µm."""
    return np.asarray(flux * _NJY * _LIGHT / wavelength**2)


def _closest(x: FloatArray, y: FloatArray, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Number of the source closest to each pixel, of those whose place is known; -1 without any."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not known.size:
        return np.full(shape, -1, dtype=np.int64)
    rows, columns = np.indices(shape)
    tree = cKDTree(np.stack([x[known], y[known]], axis=1))
    _, nearest = tree.query(np.stack([columns.ravel(), rows.ravel()], axis=1))
    return np.asarray(known[nearest].reshape(shape), dtype=np.int64)
