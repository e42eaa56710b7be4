"""Artificial stars added to an existing Level-2 image, with their noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from roman_datamodels.datamodels import ImageModel

from loaders.psf.model import EffectivePsf
from loaders.simulation.render import prepare

FloatArray = npt.NDArray[np.float64]

_NJY_OF_MJY = 1e15


@dataclass(frozen=True)
class Injected:
    """Stars to add: 0-based pixels of the image and fluxes in nJy (at least 0), arrays of shape (n,)."""

    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def __post_init__(self) -> None:
        if not (self.x.shape == self.y.shape == self.flux.shape):
            raise ValueError(f"shapes differ: x {self.x.shape}, y {self.y.shape}, flux {self.flux.shape}")
        if not (np.isfinite(self.flux).all() and (self.flux >= 0).all()):
            raise ValueError(f"fluxes must be finite and at least 0, got down to {np.min(self.flux)}")


def inject_stars(
    model: ImageModel, psf: EffectivePsf, stars: Injected, rng: np.random.Generator
) -> FloatArray:
    """Add stars to an image: ``data``, ``var_poisson`` and ``err`` of the model are replaced.

    The added photons are Poisson distributed with the noise per electron that the image itself shows. Pixels
    without a slope (error 0) stay as they are; a pixel that the added light would saturate is not flagged.

    Parameters
    ----------
    model
        A Level-2 image in DN/s.
    psf
        Effective PSF in pixels of the image.
    stars
        What to add.
    rng
        Random numbers.

    Returns
    -------
    Expected image that was added, DN/s, shape (height, width).

    Raises
    ------
    ValueError
        If the image has no pixel from which its noise per electron can be read.
    """
    data = np.asarray(model.data, dtype=np.float64)
    error, poisson = (np.asarray(model[name], dtype=np.float64) for name in ("err", "var_poisson"))
    measured = error > 0
    unit = _noise_per_rate(data, poisson, measured)
    njy = float(model.meta.photometry.conversion_megajanskys * model.meta.photometry.pixel_area) * _NJY_OF_MJY
    centre = ((data.shape[1] - 1) / 2, (data.shape[0] - 1) / 2)
    expected = prepare(psf, (0, 0), centre).stars(data.shape, stars.x, stars.y, stars.flux / njy)
    expected = np.where(measured, np.clip(expected, 0.0, None), 0.0)
    added = rng.poisson(expected / unit) * unit
    largest = float(np.finfo(np.float16).max)
    model.data = (data + added).astype(np.float32)
    model.var_poisson = np.minimum(poisson + added * unit, largest).astype(np.float16)
    model.err = np.minimum(np.sqrt(error**2 + added * unit), largest).astype(np.float16)
    return expected


def _noise_per_rate(data: FloatArray, poisson: FloatArray, measured: npt.NDArray[np.bool_]) -> float:
    """Poisson variance per rate, (DN/s)^2 over DN/s: one electron over gain and effective time."""
    lit = measured & (data > 0) & (poisson > 0)
    if not lit.any():
        raise ValueError("the image has no pixel with positive data and Poisson variance")
    return float(np.median(poisson[lit] / data[lit]))
