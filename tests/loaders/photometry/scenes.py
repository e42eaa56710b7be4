"""Scenes with a PSF known in closed form: a Gaussian integrated over square pixels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf

FloatArray = npt.NDArray[np.float64]
READ, POISSON, SKY = 0.01, 0.008, 3.0


def pixel_gaussian(offset: FloatArray, sigma: float) -> FloatArray:
    """Integral of a Gaussian over a pixel whose centre is at an offset."""
    scale = 1 / (np.sqrt(2) * sigma)
    return 0.5 * (erf((offset + 0.5) * scale) - erf((offset - 0.5) * scale))


def gaussian_psf(
    sigma: float = 0.8, half_width: int = 5, oversampling: int = 6, nodes: tuple[float, ...] = (0.0,)
) -> EffectivePsf:
    """The effective PSF of a Gaussian; with several nodes, 10 % wider at each further node along x."""
    offset = np.arange(-half_width * oversampling, half_width * oversampling + 1) / oversampling
    widths = [sigma * 1.1**k for k in range(len(nodes))]
    stamps = [np.outer(pixel_gaussian(offset, w), pixel_gaussian(offset, w)) for w in widths]
    return EffectivePsf(np.array([stamps]), oversampling, np.array(nodes), np.array([0.0]))


def star_pixels(shape: tuple[int, int], x: FloatArray, y: FloatArray, sigma: float = 0.8) -> FloatArray:
    """Light of stars of unit flux in every pixel, from the closed form, shape (ny nx, n)."""
    rows, columns = np.arange(shape[0]), np.arange(shape[1])
    along_y = pixel_gaussian(rows[:, None] - y, sigma)
    along_x = pixel_gaussian(columns[:, None] - x, sigma)
    return (along_y[:, None, :] * along_x[None, :, :]).reshape(-1, x.size)


@dataclass(frozen=True)
class Scene:
    """A field of stars with its truth, without noise."""

    shape: tuple[int, int]
    x: FloatArray
    y: FloatArray
    flux: FloatArray
    mean: FloatArray

    def noisy(self, seed: int) -> FloatArray:
        """One realisation of the scene."""
        noise = np.random.default_rng(seed).normal(size=self.shape)
        return self.mean + noise * np.sqrt(self.variance)

    @property
    def variance(self) -> FloatArray:
        """Variance of every pixel."""
        return READ + POISSON * self.mean

    def image(self, data: FloatArray, usable: npt.NDArray[np.bool_] | None = None) -> PixelImage:
        """Data as an image with the true noise model."""
        good = np.ones(self.shape, dtype=bool) if usable is None else usable
        return PixelImage(data, NoiseModel(READ, POISSON), good)

    def stars(self, guess: bool = True) -> StarList:
        """The stars, with their true fluxes as guesses or without."""
        return StarList(self.x, self.y, self.flux if guess else None)


def field(
    shape: tuple[int, int],
    density: float,
    seed: int,
    sky: float = SKY,
    faintest: float = 5.0,
    sigma: float = 0.8,
) -> Scene:
    """Stars at random places, with fluxes up to a thousand times the faintest, faint ones more frequent."""
    rng = np.random.default_rng(seed)
    n = max(1, round(density * shape[0] * shape[1]))
    x, y = rng.uniform(-0.5, shape[1] - 0.5, n), rng.uniform(-0.5, shape[0] - 0.5, n)
    flux = faintest / rng.uniform(1e-3, 1.0, n)
    mean = sky + (star_pixels(shape, x, y, sigma) @ flux).reshape(shape)
    return Scene(shape, x, y, flux, mean)
