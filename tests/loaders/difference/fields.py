"""Templates known in closed form: stars that are Gaussians over square pixels, on a grid of half pixels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import spline_filter

from loaders.difference.matching import Difference, MatchingOptions, Template
from loaders.difference.sources import DifferenceOptions
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.wfi.placement import Placement
from tests.loaders.photometry.scenes import POISSON, READ, SKY, pixel_gaussian, star_pixels

FloatArray = npt.NDArray[np.float64]

FINE, BORDER = 2, 16
"""Fine pixels per pixel, and around the image."""

SHARP = 0.8
"""Width (pixels) of stars on the template."""

MATCHING = MatchingOptions(threads=1)
SEARCHING = DifferenceOptions(threads=1)


@dataclass(frozen=True)
class Field:
    """Stars in pixels of a square image."""

    side: int
    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def template(self, variance: tuple[float, float] = (0.0, 0.0)) -> Template:
        """The field as it is, sharp: the cubic spline through its values at the fine pixels."""
        grid = (np.arange(self.side * FINE + 2 * BORDER) - BORDER) / FINE
        along_x = pixel_gaussian(grid[:, None] - self.x, SHARP)
        along_y = pixel_gaussian(grid[:, None] - self.y, SHARP)
        values = (along_y * self.flux) @ along_x.T
        return Template(spline_filter(values, order=3, mode="mirror"), FINE, variance)

    def mean(
        self,
        sigma: float = SHARP,
        shift: tuple[FloatArray | float, FloatArray | float] = (0.0, 0.0),
        flux: FloatArray | None = None,
    ) -> FloatArray:
        """Expected image with stars of some width, displaced by some pixels."""
        light = star_pixels((self.side, self.side), self.x + shift[0], self.y + shift[1], sigma)
        return SKY + (light @ (self.flux if flux is None else flux)).reshape(self.side, self.side)


def field(side: int = 160, density: float = 0.02, seed: int = 1, faintest: float = 20.0) -> Field:
    """Stars at random places on and around the image, faint ones more frequent."""
    rng = np.random.default_rng(seed)
    count = round(density * (side + 8) ** 2)
    x, y = rng.uniform(-4, side + 4, (2, count))
    return Field(side, x, y, faintest / rng.uniform(0.01, 1.0, count))


def noisy(mean: FloatArray, seed: int) -> FloatArray:
    """One realisation of an image."""
    return mean + np.random.default_rng(seed).normal(size=mean.shape) * np.sqrt(READ + POISSON * mean)


def image(data: FloatArray, usable: npt.NDArray[np.bool_] | None = None) -> PixelImage:
    """Data with their true noise model."""
    good = np.ones(data.shape, dtype=bool) if usable is None else usable
    return PixelImage(data, NoiseModel(READ, POISSON), good)


def placed(shift: tuple[float, float] = (0.0, 0.0)) -> Placement:
    """Where pixels lie on the fine grid, displaced by some pixels."""
    forward = np.zeros((2, 2, 2))
    forward[0, 0, 0], forward[1, 0, 0] = (BORDER + FINE * one for one in shift)
    forward[0, 1, 0] = forward[1, 0, 1] = FINE
    return Placement((0.0, 0.0), (1.0, 1.0), forward, 0.0)


def pulls(difference: Difference) -> FloatArray:
    """Difference over its standard deviation, usable pixels alone."""
    return (difference.data / np.sqrt(difference.variance))[difference.usable].astype(float)
