"""Made-up dispersed exposures: Gaussian sources put into pixels by their integrals, not by our drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_extraction.frame import SpectralFrame
from loaders.spectral_extraction.sensitivity import nominal_sensitivity
from loaders.spectral_extraction.shape import Shape, shape_of
from loaders.spectral_geometry.nominal import nominal_reference

ORDERS = (1, 0, 2)


def instrument(element: str = "GRISM", detector: str = "WFI01") -> Instrument:
    orders = ORDERS if element == "GRISM" else (1,)
    dispersion = nominal_reference(element).on(detector)
    return Instrument(dispersion, {o: nominal_sensitivity(detector, element, o) for o in orders})


def integrals(centre: np.ndarray, size: int, sigma: float) -> np.ndarray:
    """Share of a Gaussian in each pixel, shape (n, size)."""
    edges = (np.arange(size + 1) - 0.5 - centre[:, None]) / (sigma * np.sqrt(2))
    return np.diff(erf(edges), axis=1) / 2


@dataclass(frozen=True)
class Truth:
    """A source: direct pixel, width (pixels) and its flux density (W m⁻² µm⁻¹) as a function of µm."""

    x: float
    y: float
    sigma: float
    flux: object


def direct_image(truths: list[Truth], size: tuple[int, int]) -> list[np.ndarray]:
    """Direct images, one for each source."""
    return [
        integrals(np.array([t.y]), size[0], t.sigma).T @ integrals(np.array([t.x]), size[1], t.sigma)
        for t in truths
    ]


def shapes(truths: list[Truth], size: tuple[int, int], radius: int = 9) -> list[Shape]:
    """Shapes of sources as noiseless direct images without neighbours show them."""
    images = direct_image(truths, size)
    return [shape_of(image, t.x, t.y, radius) for image, t in zip(images, truths, strict=True)]


def exposed(truths: list[Truth], one: Instrument, size: tuple[int, int]) -> np.ndarray:
    """Expected electrons/s: each source is the sum of images in 1500 colours."""
    image = np.zeros(size)
    for truth in truths:
        for order, curve in one.sensitivity.items():
            low, high = one.dispersion.wavelength_range[order]
            edges = np.linspace(low, high, 1501)
            wavelength = (edges[1:] + edges[:-1]) / 2
            x, y = one.dispersion.disperse(order, np.array([truth.x]), np.array([truth.y]), wavelength)
            rate = truth.flux(wavelength) * curve.at(wavelength) * np.diff(edges)
            rows = integrals(y[0], size[0], truth.sigma)
            image += (rows * rate[:, None]).T @ integrals(x[0], size[1], truth.sigma)
    return image


def noisy(expected: np.ndarray, seed: int, sky: float = 0.7, seconds: float = 300.0) -> SpectralFrame:
    """A measured exposure less its sky, with the noise of photons and of reading."""
    rng = np.random.default_rng(seed)
    read = np.full(expected.shape, (8.0 / seconds) ** 2)
    rate = rng.poisson((expected + sky) * seconds) / seconds + rng.normal(0, np.sqrt(read))
    frame = SpectralFrame(rate, read, 1 / seconds, np.zeros(expected.shape, dtype=bool))
    return frame.without_sky(np.full(expected.shape, sky), np.zeros(expected.shape))
