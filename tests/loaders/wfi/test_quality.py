from __future__ import annotations

import numpy as np
import pytest
from roman_datamodels.dqflags import pixel

from loaders.wfi.quality import quality_summary, usable_pixels


def image(n: int = 12) -> dict[str, np.ndarray]:
    return {
        "data": np.ones((1, n), dtype=np.float32),
        "err": np.full((1, n), 0.3, dtype=np.float32),
        "var_poisson": np.full((1, n), 0.05, dtype=np.float32),
        "dq": np.zeros((1, n), dtype=np.uint32),
    }


def test_saturated_pixels_with_a_slope_are_usable():
    arrays = image(3)
    arrays["dq"][:] = pixel.SATURATED.value
    arrays["err"][0, 1] = 0
    arrays["var_poisson"][0, 2] = 0
    assert usable_pixels(**arrays).tolist() == [[True, False, False]]


@pytest.mark.parametrize("name", ["data", "err", "var_poisson"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_only_finite_numbers_are_usable(name, value):
    arrays = image(2)
    arrays[name][0, 0] = value
    assert usable_pixels(**arrays).tolist() == [[False, True]]


def test_negative_rates_are_usable_and_negative_errors_not():
    arrays = image(2)
    arrays["data"][0, 0] = -5
    arrays["err"][0, 1] = -0.1
    assert usable_pixels(**arrays).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("flag", "usable"),
    [
        (pixel.DO_NOT_USE, False),
        (pixel.DEAD, False),
        (pixel.NON_SCIENCE, False),
        (pixel.REFERENCE_PIXEL, False),
        (pixel.JUMP_DET, True),
        (pixel.OUTLIER, True),
        (pixel.HOT, True),
        (pixel.SATURATED, True),
    ],
)
def test_flags(flag, usable):
    arrays = image(1)
    arrays["dq"][:] = flag.value
    assert usable_pixels(**arrays).item() is usable


def test_summary_of_known_noise():
    rng = np.random.default_rng(4)
    arrays = image(1)
    data = rng.normal(7.0, 0.4, (500, 400)).astype(np.float32)
    dq = np.zeros(data.shape, dtype=np.uint32)
    dq[:50] |= np.uint32(pixel.SATURATED.value)
    dq[:, :4] |= np.uint32(pixel.JUMP_DET.value)
    usable = np.ones(data.shape, dtype=bool)
    usable[:100] = False
    data[:100] = 1e6
    summary = quality_summary(data, dq, usable)
    assert arrays["dq"].sum() == 0
    assert summary.fraction_usable == 0.8
    assert summary.fraction_saturated == 0.1
    assert summary.fraction_jump == 0.01
    # Standard errors of median and of scaled MAD from 160,000 values: 0.00125 and 0.0012.
    assert summary.median_background == pytest.approx(7.0, abs=0.005)
    assert summary.background_noise == pytest.approx(0.4, abs=0.005)


def test_no_usable_pixel_has_no_summary():
    arrays = image(2)
    with pytest.raises(ValueError, match="no usable pixel"):
        quality_summary(arrays["data"], arrays["dq"], np.zeros((1, 2), dtype=bool))
