"""Artificial sources laid out over an image: at random places, or on a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.injection.catalog import flux_of_magnitude
from loaders.injection.sources import ArtificialSources
from loaders.wfi.projection import SkyProjection

FloatArray = npt.NDArray[np.float64]

_SERSIC_N, _RADIUS, _AXIS_RATIO = (0.5, 4.0), (0.1, 0.6), (0.3, 1.0)
"""Ranges of the galaxies: Sersic index, half-light radius (arcsec; uniform in its logarithm), axis ratio."""


@dataclass(frozen=True)
class Population:
    """What is laid out: AB magnitudes, uniform between two, and the fraction of sources that are galaxies."""

    magnitudes: tuple[float, float]
    galaxy_fraction: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.magnitudes
        if not (np.isfinite([low, high]).all() and low <= high):
            raise ValueError(f"magnitudes must be finite and in ascending order, got {self.magnitudes}")
        if not 0 <= self.galaxy_fraction <= 1:
            raise ValueError(f"galaxy_fraction must be in [0, 1], got {self.galaxy_fraction}")


def random_sources(
    projection: SkyProjection, number: int, population: Population, rng: np.random.Generator
) -> ArtificialSources:
    """Lay out a number of sources uniformly over the pixels of an image."""
    ny, nx = projection.shape
    x, y = rng.uniform(-0.5, nx - 0.5, number), rng.uniform(-0.5, ny - 0.5, number)
    return _populate(projection, (x, y), population, rng)


def grid_sources(
    projection: SkyProjection, spacing: float, population: Population, rng: np.random.Generator
) -> ArtificialSources:
    """Lay out sources on a square grid, each shifted by up to half a pixel, so that none disturbs another.

    Parameters
    ----------
    projection
        Of the image.
    spacing
        Pixels between neighbours; the grid begins half of it within the image.
    population
        Magnitudes and kinds.
    rng
        Random numbers.

    Raises
    ------
    ValueError
        If not even one source fits on the image.
    """
    ny, nx = projection.shape
    if not 1 <= spacing <= min(nx, ny):
        raise ValueError(f"spacing must be in [1, {min(nx, ny)}] pixels, got {spacing}")
    columns, rows = (np.arange(spacing / 2, size - 0.5, spacing) for size in (nx, ny))
    x, y = (axis.ravel() for axis in np.meshgrid(columns, rows))
    shift = rng.uniform(-0.5, 0.5, (2, x.size))
    return _populate(projection, (x + shift[0], y + shift[1]), population, rng)


def _populate(
    projection: SkyProjection,
    place: tuple[FloatArray, FloatArray],
    population: Population,
    rng: np.random.Generator,
) -> ArtificialSources:
    """Give the sources at some pixels their magnitudes and profiles."""
    ra, dec = projection.to_sky(*place)
    size = ra.size
    flux = flux_of_magnitude(rng.uniform(*population.magnitudes, size))
    is_galaxy = rng.uniform(size=size) < population.galaxy_fraction
    profile = (
        rng.uniform(*_SERSIC_N, size),
        np.exp(rng.uniform(math.log(_RADIUS[0]), math.log(_RADIUS[1]), size)),
        rng.uniform(*_AXIS_RATIO, size),
        rng.uniform(0.0, 180.0, size),
    )
    columns = [np.where(is_galaxy, values, np.nan) for values in profile]
    return ArtificialSources(np.arange(size), ra, dec, flux, *columns)
