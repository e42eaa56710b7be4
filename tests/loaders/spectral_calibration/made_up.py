"""Made-up stars: spectra, of Gaussians put into pixels by their integrals, and rates at many places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.spectral_calibration.profile import Profile
from loaders.spectral_calibration.repeats import Repeats
from loaders.spectral_calibration.rows import Across, SourceRows
from loaders.spectral_extraction.contamination import Instrument
from loaders.spectral_extraction.path import path
from loaders.spectral_extraction.response import Response
from loaders.spectral_geometry.reference import Dispersion
from tests.loaders.spectral_extraction.scene import Truth, exposed, instrument, integrals

SIGMA = 0.7
SIZE = (1150, 40)
RANGE = (0.95, 1.95)
PIXEL = 0.11
NOTHING = Across(*np.zeros((3, 0)))


def gaussian_profile() -> Profile:
    offset = np.arange(-40, 41) / 8
    return Profile(offset, integrals(-offset, 1, SIGMA)[:, 0])


def first_order(factor: object = None) -> Instrument:
    """The grism's first order alone; ``factor`` of wavelengths (µm) multiplies its sensitivity."""
    one = instrument()
    curve = one.sensitivity[1]
    value = curve.value * (1.0 if factor is None else factor(curve.wavelength))
    return Instrument(one.dispersion, {1: replace(curve, value=value)})


def measured_star(
    true: Instrument, assumed: Dispersion, flux: object, noise: tuple[float, int] = (0.0, 0)
) -> SourceRows:
    """Rows of a star at the trace that a geometry assumes, of light that falls as the truth has it."""
    x, y = 20.3, 560.4
    image = exposed([Truth(x, y, SIGMA, flux)], true, SIZE).sum(axis=1)
    rng = np.random.default_rng(noise[1])
    error = np.sqrt(image / 300 + 0.01)
    image = image + noise[0] * rng.normal(0, error)
    steps = path(assumed, 1, (x, y), (0, SIZE[0] - 1))
    return SourceRows(
        1, 1, (x, y), steps, image[steps.rows], error[steps.rows], gaussian_profile(), True, NOTHING
    )


def injected() -> Response:
    """Some percent over the detector, a part of it coloured."""
    terms = np.zeros((4, 4, 3))
    terms[1, 0, 0], terms[0, 2, 0], terms[1, 1, 0], terms[3, 0, 0] = 0.01, 0.015, -0.008, 0.004
    terms[0, 1, 1], terms[2, 0, 2] = 0.006, -0.003
    return Response(terms, RANGE)


def repeated(dithers: np.ndarray, stars: int, seed: int) -> tuple[Repeats, np.ndarray]:
    """Rates of stars of 1 % noise in 12 bands, and the responses of exposures, which scatter by 2 mmag."""
    rng = np.random.default_rng(seed)
    grey = rng.normal(0, 0.002, len(dithers))
    grey -= grey.mean()
    place = rng.uniform(-1000, 5000, (stars, 2))
    level = rng.normal(0, 1, (stars, 12))
    star, exposure, band = (
        one.ravel() for one in np.meshgrid(np.arange(stars), np.arange(len(dithers)), np.arange(12))
    )
    x, y = (place[star] + dithers[exposure] / PIXEL).T
    wavelength = 1.0 + 0.075 * band
    y = y + (wavelength - 1.4) * 950
    on = (x > 0) & (x < 4088) & (y > 0) & (y < 4088)
    rate = level[star, band] + grey[exposure] + injected().logarithm(x, y, wavelength)
    rate += rng.normal(0, 0.01, rate.size)
    found = Repeats(star, exposure, band, x, y, wavelength, rate, np.full(rate.size, 0.01))
    return found.of(on), grey
