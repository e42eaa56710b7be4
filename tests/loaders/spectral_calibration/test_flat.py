"""Flats from skies: what pixels were given comes out, beside sources, bad pixels and slow changes."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.rejection import Rejected
from loaders.spectral_calibration.flat import SkyFlat
from loaders.spectral_extraction.frame import SpectralFrame

SIZE = (60, 80)
SIDE = (200, 220)


def summed(number: int, counts: float) -> tuple[SkyFlat, np.ndarray]:
    """Exposures of a sky of 0.8 electrons/s, with a source in each and a slope over the detector."""
    rng = np.random.default_rng(1)
    pixels = rng.normal(1, 0.01, SIZE)
    slope = 1 + 0.05 * np.linspace(-1, 1, SIZE[1])
    flat = SkyFlat(np.zeros(SIDE), np.zeros(SIDE))
    for exposure in range(number):
        sources = np.zeros(SIZE)
        sources[:, 20 + exposure % 40] = 5.0
        variance = np.full(SIZE, 0.8**2 / counts)
        rate = (0.8 * slope + sources) * pixels - 0.8 + rng.normal(0, np.sqrt(variance))
        bad = rng.random(SIZE) < 0.01
        rate[bad] = 1e5
        frame = SpectralFrame(rate, variance, 0.0, bad)
        flat.add(frame, 0.8, sources, (30, 50))
    return flat, pixels


def test_the_pixels_come_out():
    flat, pixels = summed(50, 2e4)
    values, error = flat.flat()
    part = values[50:110, 30:110]
    left = part / pixels
    # At the rims of what is known a slope is not told from the pixels.
    inner = left[:, 30:50]
    assert np.std(inner - np.mean(inner, axis=0)) == pytest.approx(error, rel=0.2)
    assert error == pytest.approx(1e-3, rel=0.05)
    assert np.isnan(values[:50]).all()
    assert np.isnan(values[:, 110:]).all()


def test_what_is_too_noisy_or_shows_no_sky_is_refused():
    with pytest.raises(Rejected, match=r"its error is 0\.0") as refused:
        summed(2, 300)[0].flat()
    assert refused.value.code == "noisy_flat"
    with pytest.raises(Rejected, match="no pixel shows the sky") as refused:
        SkyFlat(np.zeros(SIDE), np.zeros(SIDE)).flat()
    assert refused.value.code == "no_calibration_source"
