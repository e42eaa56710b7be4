"""The kernel against convolutions in closed form, and the noise of what is left."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import spline_filter
from scipy.stats import kstest

from loaders.difference.matching import MatchingOptions, Template, kernel_offsets, match_template
from loaders.difference.surroundings import Surroundings
from loaders.photometry.parallel import Workers
from loaders.rejection import Rejected
from tests.loaders.difference.fields import (
    FINE,
    MATCHING,
    SHARP,
    field,
    image,
    noisy,
    placed,
    pulls,
)
from tests.loaders.photometry.scenes import POISSON, READ

WIDER = 0.6
"""Width (pixels) of the Gaussian that the stars of the template are convolved with."""


def moments(kernel):
    """Sum, centroid (x, y) and variances along x and y, in pixels."""
    half = kernel.shape[0] // 2
    offset = np.arange(-half, half + 1) / FINE
    total = kernel.sum()
    along = [kernel.sum(axis=axis) / total for axis in (0, 1)]
    centre = [float(one @ offset) for one in along]
    return total, centre, [float(one @ (offset - c) ** 2) for one, c in zip(along, centre, strict=True)]


@pytest.fixture(scope="module")
def sky():
    return field()


def test_a_gaussian_kernel_is_recovered(sky):
    """Light times 1.1, convolved with a Gaussian and displaced: the kernel has just these moments."""
    mean = 3.0 + 1.1 * (sky.mean(np.hypot(SHARP, WIDER), (0.13, -0.2)) - 3.0)
    found = match_template(image(mean), placed(), sky.template(), MATCHING)
    total, centre, variance = moments(found.kernel)
    assert total == pytest.approx(1.1, rel=1e-3)
    assert found.kernel_sum == pytest.approx(total)
    # A star that lies 0.13 further on sees the template 0.13 before.
    np.testing.assert_allclose(centre, [-0.13, 0.2], atol=2e-3)
    np.testing.assert_allclose(variance, WIDER**2, rtol=0.01)
    assert np.abs(found.data).max() < 1e-3 * mean.max()
    np.testing.assert_allclose(found.model, mean, atol=1e-3 * mean.max())


def test_a_kernel_that_changes_over_the_image_is_followed(sky):
    """Stars displaced ever farther, by 0.1 pixel at the edges: a constant kernel cannot do that."""
    drift = 0.1 * (2 * sky.x / (sky.side - 1) - 1)
    mean = sky.mean(np.hypot(SHARP, WIDER), (drift, 0.0))
    rms = {}
    for order in (0, 1):
        found = match_template(image(mean), placed(), sky.template(), replace(MATCHING, order=order))
        rms[order] = float(np.std(pulls(found)))
    assert rms[0] > 0.4
    assert rms[1] < 0.25 * rms[0]


@pytest.mark.parametrize("left", [0.2, 0.65, 1.6])
def test_one_bright_star_that_varies_does_not_decide_the_kernel(left):
    """It has half of the light of all others; these are as bright as they were."""
    sky = field(96, density=0.04)
    star = int(np.argmin(np.hypot(sky.x - 48, sky.y - 48)))
    sky.flux[star] = 0.5 * (sky.flux.sum() - sky.flux[star])
    flux = sky.flux.copy()
    flux[star] *= left
    found = match_template(image(noisy(sky.mean(SHARP, flux=flux), 3)), placed(), sky.template(), MATCHING)
    assert found.kernel_sum == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("side", [48, 72])
def test_small_images_have_cells_enough_for_a_kernel_that_changes(side):
    """One cell says nothing of a change: the kernel in the middle would be anything."""
    sky = field(side, density=0.04)
    found = match_template(image(sky.mean(np.hypot(SHARP, WIDER))), placed(), sky.template(), MATCHING)
    assert found.kernel_sum == pytest.approx(1.0, rel=5e-3)
    assert np.abs(found.data).max() < 3e-3 * sky.mean().max()


def test_a_sky_that_is_no_constant_is_taken_away(sky):
    y, x = np.mgrid[: sky.side, : sky.side] / sky.side
    glow = 2.0 + 1.5 * x + y**2
    found = match_template(image(sky.mean() + glow), placed(), sky.template(), MATCHING)
    error = found.model - sky.mean() - glow
    assert np.median(np.abs(error)) < 0.01
    assert abs(np.mean(error[-16:, -16:])) < 0.05


def test_the_difference_of_equal_skies_is_noise_of_unit_width(sky):
    found = match_template(image(noisy(sky.mean(0.9), 3)), placed((0.3, -0.1)), shifted(sky), MATCHING)
    pull = pulls(found)
    assert np.std(pull) == pytest.approx(1.0, abs=0.02)
    assert abs(np.mean(pull)) < 0.02
    assert kstest(pull, "norm").pvalue > 1e-3
    assert found.reduced_chi2 == pytest.approx(1.0, abs=0.03)


def shifted(sky):
    """The template such that the image lies 0.3 to the right of it and 0.1 below."""
    return replace(sky, x=sky.x + 0.3, y=sky.y - 0.1).template()


def test_the_noise_of_the_template_is_propagated(sky):
    """White noise on the template, as great as that of the image in a pixel without stars."""
    rng = np.random.default_rng(7)
    clean = sky.template()
    variance = READ + POISSON * 3.0
    grain = rng.normal(0, np.sqrt(variance), clean.coefficient.shape)
    # Its values at fine pixels, not its coefficients, are what varies.
    values = spline_filter(grain, order=3, mode="mirror")
    rough = Template(clean.coefficient + values, FINE, (variance, 0.0))
    picture = image(noisy(sky.mean(0.9), 3))
    found = match_template(picture, placed(), rough, MATCHING)
    assert 0.05 < found.template_share < 0.5
    assert np.std(pulls(found)) == pytest.approx(1.0, abs=0.03)
    silent = match_template(picture, placed(), replace(rough, variance=(0.0, 0.0)), MATCHING)
    assert np.std(pulls(silent)) > 1.03 * np.std(pulls(found))


def test_what_changed_is_not_matched(sky):
    """A few stars that brighten much leave the kernel as it was."""
    flux = sky.flux.copy()
    flux[np.argsort(flux)[-5:]] *= 1.5
    found = match_template(image(noisy(sky.mean(flux=flux), 4)), placed(), sky.template(), MATCHING)
    assert found.kernel_sum == pytest.approx(1.0, abs=0.01)


def test_where_the_template_knows_nothing_no_pixel_counts(sky):
    """Half of the template unknown: these pixels and those within the reach of the kernel do not count."""
    template = sky.template()
    scale = np.ones(template.coefficient.shape, dtype=np.float32)
    scale[:, : 16 + 80 * FINE] = np.nan
    found = match_template(image(noisy(sky.mean(), 5)), placed(), replace(template, scale=scale), MATCHING)
    assert not found.usable[:, :81].any()
    assert found.usable[:, 82:].all()
    assert np.isinf(found.variance[~found.usable]).all()
    assert (found.data[~found.usable] == 0).all()


def test_a_template_of_uneven_depth_gives_each_pixel_its_own_noise(sky):
    template = sky.template((0.02, 0.0))
    scale = np.ones(template.coefficient.shape, dtype=np.float32)
    scale[: 16 + 80 * FINE] = 9.0
    picture = image(noisy(sky.mean(), 6))
    own, even, uneven = (
        match_template(picture, placed(), one, MATCHING).variance
        for one in (replace(template, variance=(0.0, 0.0)), template, replace(template, scale=scale))
    )
    np.testing.assert_allclose((uneven - own)[:80] / (even - own)[:80], 9.0, rtol=1e-2)
    np.testing.assert_allclose(uneven[82:], even[82:], rtol=1e-6)


def test_an_image_that_is_not_on_the_template_is_refused(sky):
    with pytest.raises(Rejected) as refused:
        match_template(image(sky.mean()), placed((400.0, 0.0)), sky.template(), MATCHING)
    assert refused.value.code == "no_overlap"


def test_offsets_run_row_by_row():
    offsets = kernel_offsets(2, 1.0)
    assert offsets.shape == (25, 2)
    np.testing.assert_array_equal(offsets[0], [-2, -2])
    np.testing.assert_array_equal(offsets[1], [-1, -2])
    assert kernel_offsets(2, MatchingOptions().half_width).shape == (49, 2)


def test_without_stars_the_difference_is_the_noise():
    """There is nothing to match, and nothing to fail."""
    template = Template(np.zeros((96 * FINE + 32, 96 * FINE + 32)), FINE, (0.0, 0.0))
    found = match_template(image(noisy(np.full((96, 96), 3.0), 8)), placed(), template, MATCHING)
    assert np.std(pulls(found)) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("rows_at_once", [1, 40, 130])
def test_an_image_that_is_matched_some_rows_at_a_time_is_the_same(sky, rows_at_once):
    """Less memory than one row of cells takes, one of them, or most of the image."""
    y, x = np.mgrid[: sky.side, : sky.side]
    picture = image(noisy(sky.mean(0.9), 8), (x - 70) ** 2 + (y - 41) ** 2 > 25)
    whole = match_template(picture, placed(), sky.template((0.02, 0.0)), MATCHING)
    bytes_a_row = 4 * sky.side * (whole.kernel.size + 1)
    some = replace(MATCHING, memory=rows_at_once * bytes_a_row)
    parts = match_template(picture, placed(), sky.template((0.02, 0.0)), some)
    np.testing.assert_array_equal(parts.usable, whole.usable)
    np.testing.assert_allclose(parts.data, whole.data, atol=1e-5)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-6)
    np.testing.assert_allclose(parts.kernel, whole.kernel, atol=1e-9)
    assert parts.reduced_chi2 == pytest.approx(whole.reduced_chi2)


def test_no_more_samples_are_held_than_are_allowed(sky):
    """Bands cover each row once, whole cells but for the last, and share one array."""
    count, step = 50, 16
    allowed = 40 * 4 * sky.side * count
    with Workers(1) as workers:
        around = Surroundings(sky.template().coefficient, placed(), (sky.side, sky.side), 3, allowed, workers)
        assert around.count == count
        seen = []
        for rows, samples in around.bands(step):
            assert samples.nbytes <= allowed
            assert rows.start % step == 0
            seen.extend(range(sky.side)[rows])
    assert seen == list(range(sky.side))
