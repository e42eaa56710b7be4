"""Saturated blocks with slopes, of which exposures do not say the same: masked, and the rest is used."""

from dataclasses import replace

import numpy as np
import pytest
from roman_datamodels.dqflags import pixel

from loaders.photometry.fit import photometer
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import PixelImage, StarList
from loaders.photometry.noise import NoiseModel
from loaders.photometry.options import FitOptions
from loaders.photometry.saturated import without_blocks
from loaders.reference.exposures import read_exposure
from loaders.wfi.saturated import grown, saturated_blocks
from tests.loaders.photometry.scenes import POISSON, READ, gaussian_psf, star_pixels
from tests.loaders.reference.scenes import SIDE, build, dithers, stars
from tests.loaders.wfi.conftest import SHAPE, make_level2

__all__ = ["make_level2"]

HALF = 10
"""Half width of a block, pixels."""


def exposures_with_block(at, wings, count=24):
    """Exposures whose pixels saturate about one place of the detector or of the sky, and their mean light."""
    sky, rng, out = stars(), np.random.default_rng(3), []
    y, x = np.indices((SIDE, SIDE)).astype(float)
    for k, pointing in enumerate(dithers(count)):
        one, middle = sky.exposure(pointing, k), np.array([SIDE / 2])
        cx, cy = (
            float(c[0]) for c in (pointing.to_detector(middle, middle) if at == "sky" else (middle,) * 2)
        )
        distance = np.maximum(np.abs(x - cx), np.abs(y - cy))
        inside, level = distance <= HALF, rng.normal(5000, 500)
        around = wings * level * np.exp(-(distance - HALF) / 1.5)
        slopes = level * (1 + rng.normal(0, 0.05, x.shape))
        data = np.where(inside, slopes, one.image.data + around)
        out.append(replace(one, image=replace(one.image, data=data, saturated=inside)))
    return sky, out


@pytest.mark.parametrize("at", ["detector", "sky"])
@pytest.mark.parametrize("wings", [0.0, 0.02])
@pytest.mark.parametrize("oversampling", [1, pytest.param(2, marks=pytest.mark.heavy)])
def test_a_saturated_block_costs_no_exposure_and_the_other_stars_keep_their_places(at, wings, oversampling):
    _, exposures = exposures_with_block(at, wings)
    reference = build([replace(one, image=without_blocks(one.image)) for one in exposures], oversampling)
    assert all(member.refused is None for member in reference.members)
    # WCSs are right: what is found of them is noise, and what is left of wings that move with the detector.
    assert np.abs([member.shift for member in reference.members]).max() < 0.15 * oversampling
    assert np.abs(np.array([member.scale for member in reference.members]) - 1).max() < 0.03
    # Of the light of the block nothing is left in what is usable, and enough is usable.
    sky_and_stars = build(
        [stars().exposure(pointing, k) for k, pointing in enumerate(dithers(24))], oversampling
    )
    seen = reference.image.usable & sky_and_stars.image.usable
    assert seen.sum() > 0.5 * sky_and_stars.image.usable.sum()
    change = (reference.image.data - sky_and_stars.image.data)[seen]
    assert np.abs(change - np.median(change)).max() < 0.02 * 5000 / oversampling**2


def test_the_ring_of_a_bright_star_is_no_block():
    """Slopes are lost in its core; the pixels around it that saturate late are those that measure it."""
    y, x = np.indices((64, 64)) - 32.0
    radius = np.hypot(x, y)
    ring = (radius > 8) & (radius <= 8 * 6 ** (1 / 3))
    assert ring.sum() > 300
    assert not saturated_blocks(ring).any()


def test_a_square_that_saturates_is_a_block_and_a_star_beside_it_is_none():
    saturated = np.zeros((64, 64), dtype=bool)
    saturated[10:40, 12:42] = True
    star = np.zeros_like(saturated)
    star[54:58, 54:58] = True
    np.testing.assert_array_equal(saturated_blocks(saturated | star), saturated)


def test_a_block_grows_as_far_as_it_is_bright_around():
    """Over light that falls by a known law: to where it is half a standard deviation of the sky."""
    rng = np.random.default_rng(5)
    y, x = np.indices((120, 120))
    distance = np.maximum(np.abs(x - 60), np.abs(y - 60)) - 15
    data = rng.normal(10.0, 2.0, x.shape) + 1000 * np.exp(-np.maximum(distance, 0) / 2.0)
    block = distance <= 0
    width = np.sqrt(grown(block, data, np.ones_like(block)).sum()) // 2 - 15
    assert width == pytest.approx(2.0 * np.log(1000), abs=2)
    flat = rng.normal(10.0, 2.0, x.shape)
    assert np.sqrt(grown(block, flat, np.ones_like(block)).sum()) // 2 - 15 == 3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_and_all_that_saturates_is_left_as_it_is(share):
    saturated = np.full((40, 40), bool(share))
    data = np.full((40, 40), 5.0)
    image = PixelImage(data, NoiseModel(READ, POISSON), np.ones((40, 40), dtype=bool), saturated)
    assert without_blocks(image) is image


def test_exposures_are_read_without_their_blocks(make_level2):
    dq = np.zeros(SHAPE, dtype=np.uint32)
    dq[20:45, 30:60] = pixel.SATURATED.value
    data = np.where(dq > 0, 5000.0, np.random.default_rng(1).normal(3.0, 0.3, SHAPE)).astype(np.float32)
    usable = read_exposure(make_level2(arrays={"data": data, "dq": dq})).image.usable
    assert not usable[dq > 0].any()
    # A margin of three pixels around, and no more.
    assert usable.sum() == dq.size - 31 * 36


def test_stars_away_from_a_block_are_measured_as_without_it():
    """Of a block that is used, stars all over the image are off by thousands of standard errors."""
    side, rng = 100, np.random.default_rng(2)
    x, y = rng.uniform(0, side, (2, 400))
    flux = 10 / rng.uniform(0.01, 1, 400)
    data = 3 + (star_pixels((side, side), x, y, 0.9) @ flux).reshape(side, side)
    err = np.sqrt(READ + POISSON * data)
    data = data + rng.normal(size=data.shape) * err
    row, column = np.indices(data.shape)
    ring = np.maximum(np.abs(row - 50), np.abs(column - 50))
    block = ring <= 20
    data[block] = 5000 * (1 + 0.05 * rng.normal(size=block.sum()))
    data += np.where(block, 0, 100 * np.exp(-(ring - 20) / 1.5))
    err[block] = 50
    image = PixelImage.from_calibrated(data, err, None, np.ones(data.shape, dtype=bool), block)
    psf = gaussian_psf(0.9, half_width=6, oversampling=8)
    fit = photometer(without_blocks(image), StarList(x, y, flux), psf, FitOptions(threads=1))
    distance = np.maximum(np.abs(x - 49.5), np.abs(y - 49.5))
    far, inside = (distance > 32) & (distance < 46), distance < 18
    pull = (fit.flux - flux) / fit.flux_err
    assert np.abs(np.nanmedian(pull[far])) < 0.5
    assert np.nanmedian(np.abs(pull[far])) < 1.2
    assert np.isnan(fit.flux[inside]).all()
    assert (fit.flags[inside] & PhotometryFlag.SATURATED > 0).all()
    assert (fit.flags[inside] & PhotometryFlag.NO_PIXELS > 0).all()
