"""Self-calibration: an injected response is found from stars that are seen at several places."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.rejection import Rejected
from loaders.spectral_calibration.repeats import fitted_response, response_of
from loaders.spectral_extraction.path import Path
from tests.loaders.spectral_calibration.made_up import RANGE, injected, repeated

MMAG = 2500 / np.log(10)


def test_an_injected_response_is_found():
    rng = np.random.default_rng(7)
    length, angle = rng.uniform(50, 240, 16), rng.uniform(0, 2 * np.pi, 16)
    found, grey = repeated(np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1), 250, 8)
    fitted = fitted_response(found, RANGE)
    places = [one.ravel() for one in np.meshgrid(*[np.linspace(100, 3988, 9)] * 2, np.linspace(1, 1.9, 5))]
    response = response_of(fitted, RANGE, {n: f"{n}.asdf" for n in range(16)})
    left = response.logarithm(*places) - injected().logarithm(*places)
    residual = MMAG * float(np.sqrt(np.mean(left**2)))
    assert residual < 1.5
    assert residual / 1000 < 3 * fitted.error
    assert fitted.error < 0.0015
    found_grey = np.array([fitted.exposures[n] for n in range(16)])
    assert np.abs(found_grey - grey).max() < 0.003
    # In the pixels of a window, and with the response of an exposure.
    steps = Path(np.array([10.0]), np.array([20.0]), np.array([1.3]), np.ones(1))
    there = response.logarithm(np.array([110.0]), np.array([220.0]), np.array([1.3]))
    at = response.on("3.asdf", (100, 200)).at(steps)
    assert np.log(at) == pytest.approx(there + fitted.exposures[3])


def test_one_place_is_refused():
    for found in (
        repeated(np.zeros((1, 2)), 20, 9)[0],
        repeated(np.array([[0, 0], [0.5, 1.0]]), 20, 9)[0],
        repeated(np.zeros((1, 2)), 20, 9)[0].of(np.zeros(0, dtype=int)),
    ):
        with pytest.raises(Rejected, match="none is seen at two places") as refused:
            fitted_response(found, RANGE)
        assert refused.value.code == "one_dither"
