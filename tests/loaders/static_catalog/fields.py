"""Mosaics with known truth: Gaussian PSFs, whose images and moments are known in closed form."""

from __future__ import annotations

from types import SimpleNamespace

import galsim
import numpy as np
from scipy.special import erf

from loaders.psf.model import EffectivePsf
from loaders.simulation.wcs import tangent_wcs
from loaders.static_catalog.apertures import Plane
from loaders.static_catalog.correlation import WHITE, AreaInflation
from loaders.static_catalog.image import SkyImage

SCALE = 0.055
READ = 1.0


def gaussian_psf(sigma: float = 1.5, half: int = 15, oversampling: int = 3) -> EffectivePsf:
    """A round Gaussian seen through pixels."""
    size = 2 * half * oversampling + 1
    profile = galsim.Convolve(galsim.Gaussian(sigma=sigma), galsim.Pixel(1.0))
    image = profile.drawImage(nx=size, ny=size, scale=1 / oversampling, method="no_pixel", dtype=float)
    return EffectivePsf((image.array * oversampling**2)[None, None], oversampling, np.zeros(1), np.zeros(1))


def profile_image(shape: tuple[int, int], profile: galsim.GSObject, x: float, y: float) -> np.ndarray:
    """A profile in pixels (light per pixel), drawn by GalSim."""
    image = galsim.ImageD(shape[1], shape[0], scale=1.0, xmin=0, ymin=0)
    profile.drawImage(image, center=galsim.PositionD(x, y), method="auto")
    return image.array


def gaussian_image(shape, sources, sigma=1.5):
    """Gaussians of unit-pixel integration: rows x, y, flux and own dispersion added to that of the PSF."""
    out = np.zeros(shape)
    for x, y, flux, own in sources:
        s = np.hypot(sigma, own) * np.sqrt(2)
        px, py = (
            (erf((np.arange(n) + 0.5 - c) / s) - erf((np.arange(n) - 0.5 - c) / s)) / 2
            for n, c in ((shape[1], x), (shape[0], y))
        )
        out += flux * np.outer(py, px)
    return out


def mosaic(image, rng=None, read=READ, photon=0.0, element="F158", correlation=WHITE, sky=0.0):
    """A mosaic of an image in nJy: with noise if there is a generator."""
    read = np.full(image.shape, read, dtype=np.float32)
    variance = (read + photon * np.maximum(image, 0)).astype(np.float32)
    data = image + sky
    if rng is not None:
        data = data + rng.standard_normal(image.shape) * np.sqrt(variance)
    wcs = tangent_wcs(150.0, 2.2, SCALE, image.shape)
    meta = SimpleNamespace(wcsinfo=SimpleNamespace(skycell_name=None))
    good = np.ones(image.shape, dtype=bool)
    return SkyImage(
        element, element, data.astype(np.float32), variance, read, good, wcs, SCALE, correlation, meta
    )


def plane(image, labels=None, variance=1.0, good=None, correlation=WHITE):
    """A plane to sum over."""
    return Plane(
        image.astype(np.float32),
        np.full(image.shape, variance, dtype=np.float32),
        np.zeros(image.shape, dtype=np.int32) if labels is None else labels.astype(np.int32),
        np.ones(image.shape, dtype=bool) if good is None else good,
        AreaInflation.of(correlation),
    )


def grid_of_places(side: int, spacing: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Places apart from one another at random pixel phases."""
    at = np.arange(spacing, side - spacing + 1, spacing)
    y, x = (axis.ravel() + rng.uniform(-0.5, 0.5, at.size**2) for axis in np.meshgrid(at, at, indexing="ij"))
    return x, y


def scatter(pulls: np.ndarray) -> float:
    """Standard deviation by the median of absolute deviations."""
    pulls = pulls[np.isfinite(pulls)]
    return float(1.4826 * np.median(np.abs(pulls - np.median(pulls))))
