"""Crowded scenes with a known PSF, and measures of how well a PSF is known."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from loaders.psf.field import StarField
from loaders.psf.model import EffectivePsf
from loaders.psf.optics import OpticsSettings, optical_psf
from loaders.psf.render import SplinePsf, Stars, columns, draw

FloatArray = npt.NDArray[np.float64]
GAIN, READ_NOISE, SKY = 130.0, 0.1, 2.0

MONOCHROMATIC = OpticsSettings(half_width=10, n_wavelength=1, ipc_kernel=None)


def true_psf(x: float = 2000.0) -> EffectivePsf:
    """A PSF with one node at the origin."""
    return single_node(optical_psf("WFI07", "F146", x, 2000.0, MONOCHROMATIC))


def single_node(psf: EffectivePsf) -> EffectivePsf:
    return replace(psf, x_node=np.zeros(1), y_node=np.zeros(1))


def distorted(psf: EffectivePsf, stretch: float, shift: float) -> EffectivePsf:
    """The PSF wider by a factor, at constant flux, and shifted in x and y by some pixels."""
    centre = (psf.size - 1) / 2
    grid = (np.arange(psf.size) - centre - shift * psf.oversampling) / stretch + centre
    where = np.meshgrid(grid, grid, indexing="ij")
    stamp = map_coordinates(psf.stamps[0, 0], where, order=3, mode="nearest") / stretch**2
    return replace(psf, stamps=stamp[None, None] * psf.stamps.sum() / stamp.sum())


def draw_all(
    psf: EffectivePsf, x: FloatArray, y: FloatArray, flux: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    image = np.zeros(shape)
    radius = np.full(x.size, int(psf.half_width))
    draw(image, SplinePsf.of(psf), Stars(x, y, flux, radius))
    return image


def crowded_field(
    psf: EffectivePsf, seed: int, size: int = 200, density: float = 0.05, shift: float = 0.0
) -> tuple[StarField, FloatArray]:
    """A field of stars of S/N up to a thousand, and its true fluxes.

    The positions that the field tells are off by ``shift`` along x; its fluxes have errors of 5 %.
    """
    rng = np.random.default_rng(seed)
    count = int(density * size**2)
    x, y = rng.uniform(-4, size + 3, (2, count))
    flux = 3.0 * rng.uniform(size=count) ** -1.2
    flux = np.minimum(flux, 6000.0)
    clean = draw_all(psf, x, y, flux, (size, size)) + SKY
    data = rng.poisson(clean * GAIN) / GAIN + rng.normal(0, READ_NOISE, clean.shape)
    variance = np.maximum(data, 1.0) / GAIN + READ_NOISE**2
    given = flux * rng.normal(1, 0.05, count)
    return StarField(data, variance, np.ones(data.shape, dtype=bool), x + shift, y, given), flux


def l2_error(psf: FloatArray, truth: FloatArray) -> float:
    return float(np.sqrt(((psf - truth) ** 2).sum() / (truth**2).sum()))


def phase_error(psf: EffectivePsf, truth: EffectivePsf) -> float:
    """Largest deviation from their mean of fluxes fitted to noise-free stars at all sub-pixel positions."""
    phase = (np.arange(10) + 0.5) / 10
    v, u = (axis.ravel() for axis in np.meshgrid(phase, phase, indexing="ij"))
    x, y = 20 + 40 * np.arange(u.size) + u, 20 + v
    stars = Stars(x, y, np.ones(u.size), np.full(u.size, 4))
    shape = (41, 40 * (u.size + 1))
    observed, model = np.zeros(shape), np.zeros(shape)
    draw(observed, SplinePsf.of(truth), stars)
    draw(model, SplinePsf.of(psf), stars)
    light = columns(np.ones(shape), SplinePsf.of(psf), stars)
    flux = (light.T @ observed.ravel()) / (light.T @ model.ravel())
    return float(np.abs(flux / flux.mean() - 1).max())
