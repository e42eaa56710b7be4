"""Reference images of Gaussian stars in closed form, turned as wanted, with noise that is known."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import spline_filter

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import orthonormal, spline_coefficients
from loaders.reference.product import StoredReference
from tests.loaders.photometry.scenes import gaussian_psf

CENTRE = (268.0, -29.2)
PIXEL = 0.11
READ, POISSON = 0.04, 0.002
SIGMA = 1.1
"""Of stars, pixels of the detector."""


@dataclass(frozen=True)
class Stars:
    """Positions in degrees and fluxes in nJy, shape (n,) each."""

    ra: np.ndarray
    dec: np.ndarray
    flux: np.ndarray


def frame(at=(0.0, 0.0), turn=0.0, shape=(64, 60), oversampling=2):
    """A frame of so many detector pixels, its middle ``at`` (arcsec west and north), turned (degrees)."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    matrix = PIXEL / oversampling * np.array([[-1.0, 0.0], [0.0, 1.0]]) @ np.array([[c, -s], [s, c]])
    ny, nx = (length * oversampling for length in shape)
    dec = CENTRE[1] + at[1] / 3600
    ra = CENTRE[0] - at[0] / 3600 / np.cos(np.radians(dec))
    return ReferenceFrame(ra, dec, matrix, (ny, nx), oversampling)


def stars_in(one, x, y, flux):
    """Stars at detector pixels from the middle of a frame."""
    ra, dec = one.to_sky(
        one.middle[0] + one.oversampling * np.asarray(x, float),
        one.middle[1] + one.oversampling * np.asarray(y, float),
    )
    return Stars(ra, dec, np.asarray(flux, float))


def reference(one, stars=None, sky=0.0, seed=None, usable=None, read=READ, poisson=POISSON):
    """The image of stars over a sky (nJy in a detector pixel), with noise if there is a seed."""
    ny, nx = one.shape
    flux = np.full(one.shape, float(sky))
    if stars is not None:
        u, v = one.projection.to_pixel(stars.ra, stars.dec)
        sigma = SIGMA * one.oversampling
        for x, y, light in zip(u, v, stars.flux, strict=True):
            along_x, along_y = (
                np.exp(-0.5 * ((np.arange(length) - at) / sigma) ** 2) for length, at in ((nx, x), (ny, y))
            )
            flux += light * np.outer(along_y, along_x) / (2 * np.pi * SIGMA**2)
    data = orthonormal(spline_filter(flux, order=3, mode="mirror")) / one.oversampling**2
    inner = 16  # the filters know nothing beyond the edge
    usable = np.ones(one.shape, bool) if usable is None else usable
    usable = usable & (np.pad(np.ones((ny - 2 * inner, nx - 2 * inner), bool), inner))
    noise = NoiseModel(read, poisson)
    if seed is not None:
        data = data + np.random.default_rng(seed).normal(size=data.shape) * np.sqrt(noise.variance(data))
    image = PixelImage(data.astype(np.float32), noise, usable, name="made up")
    coefficient = spline_coefficients(image.data.astype(np.float64) * one.oversampling**2)
    return StoredReference(one, image, coefficient, gaussian_psf(one.oversampling * 1.0))
