"""A crowded field of known stars in dithered exposures, made with the optical PSF and the noise of 66 s."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, draw
from loaders.reference.build import ExposureImage
from loaders.reference.frame import ReferenceFrame
from loaders.wfi.projection import SkyProjection
from loaders.wfi.projection_fit import fit_projection

FloatArray = npt.NDArray[np.float64]

DENSITY, DITHER = 0.03, 4.0
READ, POISSON, SKY, ZERO_POINT = 0.0075, 0.008, 3.0, 26.82
REACH = 12
_OUTSIDE = 20

#: Its pixels are those of an exposure without a dither; sides are arbitrary.
PLANE = ReferenceFrame(268.0, -29.2, 0.11 * np.diag([-1.0, 1.0]), (1, 1), 1)


@dataclass(frozen=True)
class FieldOfStars:
    """Stars in pixels of `PLANE`, and exposures of them with their dithers, shape (n, 2), pixels."""

    x: FloatArray
    y: FloatArray
    magnitude: FloatArray
    exposures: list[ExposureImage]
    dithers: FloatArray

    @property
    def flux(self) -> FloatArray:
        """Fluxes in the unit of the exposures."""
        return np.asarray(10 ** (-0.4 * (self.magnitude - ZERO_POINT)))

    def light(
        self, psf: EffectivePsf, dither: tuple[float, float], side: int, flux: FloatArray
    ) -> FloatArray:
        """What the stars with some fluxes shed on the pixels of an exposure."""
        image = np.zeros((side, side))
        reach = np.full(flux.size, REACH)
        draw(image, SplinePsf.of(psf), Stars(self.x - dither[0], self.y - dither[1], flux, reach))
        return image


def field_of_stars(psf: EffectivePsf, side: int, count: int) -> FieldOfStars:
    """Stars at random, and so many exposures of them with so many pixels along each axis."""
    rng = np.random.default_rng(20270815)
    number = round(DENSITY * (side + 2 * _OUTSIDE) ** 2)
    x, y = rng.uniform(-_OUTSIDE, side + _OUTSIDE, (2, number))
    magnitude = np.maximum(25 - rng.exponential(1.5, number), 18)
    field = FieldOfStars(x, y, magnitude, [], rng.uniform(-DITHER, DITHER, (count, 2)))
    for dither in field.dithers:
        light = field.light(psf, dither, side, field.flux)
        field.exposures.append(ExposureImage(noisy(light + SKY, rng), projection(*dither, side)))
    return field


def noisy(light: FloatArray, rng: np.random.Generator) -> PixelImage:
    """An image of some light."""
    noise = NoiseModel(READ, POISSON)
    data = light + rng.normal(size=light.shape) * np.sqrt(noise.variance(light))
    return PixelImage(data, noise, np.ones(light.shape, dtype=bool))


def projection(dx: float, dy: float, side: int) -> SkyProjection:
    """WCS of an exposure whose pixel (0, 0) lies at (dx, dy) of the plane."""
    return fit_projection(lambda x, y: PLANE.to_sky(x + dx, y + dy), (side, side))


def middle_of(psf: EffectivePsf) -> EffectivePsf:
    """The PSF in the middle of the detector for all of the field, as wide as it is drawn."""
    cut = (int(psf.half_width) - REACH) * psf.oversampling
    stamp = psf.at(2044.0, 2044.0)
    stamp = stamp[cut:-cut, cut:-cut] if cut > 0 else stamp
    return EffectivePsf(stamp[None, None], psf.oversampling, np.zeros(1), np.zeros(1))
