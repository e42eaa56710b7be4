"""Pixels that are drawn of a spectrum, its small picture, and densities by quantiles, against scipy's."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from roman_db.portal.spectrum import density_of, shown_pixels, small_picture


def pixels(number: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {
        "wavelength": np.linspace(1, 2, number),
        "flux": rng.normal(1, 0.1, number),
        "flux_err": np.full(number, 0.1),
        "mask": np.zeros(number, np.int16),
    }


def test_few_pixels_are_all_shown():
    given = pixels(1000)
    shown = shown_pixels(given, (1, 2), 300)
    assert shown["is_exact"]
    for name, values in given.items():
        assert np.array_equal(shown[name], values)


def test_of_many_the_highest_and_the_masked_stay():
    given = pixels(100_000)
    given["flux"][70_001], given["flux"][20_000] = 50.0, -50.0
    given["mask"][20_000] = 1
    shown = shown_pixels(given, (1, 2), 500)
    assert not shown["is_exact"]
    assert shown["wavelength"].size < 2100
    assert (shown["flux"].max(), shown["flux"].min()) == (50.0, -50.0)
    assert shown["mask"].sum() == 1
    assert np.all(np.diff(shown["wavelength"]) > 0)
    assert shown_pixels(given, (1.7, 1.701), 500)["is_exact"]


def test_a_density_is_that_of_the_quantiles():
    """A normal distribution: each step has its mean density, all together the probability between them."""
    probability = (np.arange(100) + 0.5) / 100
    quantile = stats.norm.ppf(probability, 1.3, 0.002)
    found = density_of(quantile)
    edges, height = found["z"][::2], found["density"][1:-1:2]
    assert np.sum(height * np.diff(edges)) == pytest.approx(0.99)
    exact = np.diff(stats.norm.cdf(edges, 1.3, 0.002)) / np.diff(edges)
    assert height == pytest.approx(exact, rel=1e-9)
    assert found["z"].size == found["density"].size == 200
    assert found["density"][[0, -1]].tolist() == [0, 0]


def test_quantiles_that_are_one_lose_no_probability():
    quantile = np.array([1.0, 1.0, 1.0, 2.0, 3.0, 3.0])
    found = density_of(quantile)
    assert np.sum(found["density"][1:-1:2] * np.diff(found["z"][::2])) == pytest.approx(5 / 6)
    assert density_of(np.full(100, 0.5))["z"].size == 0


def test_a_small_picture_leaves_out_what_is_bad():
    given = pixels(900)
    given["flux"][5], given["flux"][6] = np.nan, 1e9
    given["mask"][6] = 1
    path = small_picture(given["wavelength"], given["flux"], given["mask"])
    numbers = np.array([float(one) for one in re.findall(r"-?\d+\.\d", path)]).reshape(-1, 2)
    assert 0 <= numbers[:, 0].min() < 1
    assert 239 < numbers[:, 0].max() <= 240
    assert numbers[:, 1].min() >= 0
    assert numbers[:, 1].max() <= 56
    assert np.ptp(numbers[:, 1]) > 50
    given["mask"][:] = 1
    assert small_picture(given["wavelength"], given["flux"], given["mask"]) == ""
