"""Deblending: against what must come of simple images."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.static_catalog.deblend import deblend
from loaders.static_catalog.detection import connected
from loaders.static_catalog.options import CatalogOptions
from tests.loaders.static_catalog.fields import gaussian_image

OPTIONS = CatalogOptions()


def divided(image, noise=0.1, options=OPTIONS, threshold=0.5):
    groups = connected(image > threshold, 5)
    labels, parent = deblend(
        groups, image.astype(np.float32), np.full(image.shape, noise, np.float32), options
    )
    return groups, labels, parent


def test_two_stars_that_touch_are_told_apart_and_each_keeps_its_light():
    image = gaussian_image((50, 60), [(20, 25, 3000, 0), (30, 25, 2000, 0)], sigma=2.5)
    groups, labels, parent = divided(image)
    assert groups.max() == 1
    assert list(parent) == [1, 1]
    assert np.array_equal(labels > 0, groups > 0)
    for x, flux in ((20, 3000), (30, 2000)):
        own = image[labels == labels[25, x]].sum()
        assert own == pytest.approx(flux, rel=0.06)


def test_watershed_line_lies_at_the_saddle():
    image = gaussian_image((41, 61), [(20, 20, 1000, 0), (40, 20, 1000, 0)], sigma=5.0)
    _, labels, _ = divided(image)
    assert (labels[20, 15:30] == labels[20, 20]).all()
    assert (labels[20, 31:45] == labels[20, 40]).all()


def test_three_sources_in_a_row_and_a_fourth_apart():
    sources = [(15, 20, 900, 0), (25, 20, 1800, 0), (35, 20, 900, 0), (70, 20, 500, 0)]
    groups, labels, parent = divided(gaussian_image((40, 90), sources, sigma=2.0))
    assert groups.max() == 2
    assert sorted(np.bincount(parent)[1:]) == [1, 3]
    assert len({labels[20, x] for x in (15, 25, 35, 70)}) == 4


def test_ripples_of_the_noise_are_not_sources():
    rng = np.random.default_rng(4)
    image = gaussian_image((80, 80), [(40, 40, 1e5, 0)], sigma=9.0) + rng.normal(0, 1.0, (80, 80))
    _, labels, _ = divided(image, noise=1.0, threshold=5)
    assert labels.max() == 1


def test_a_faint_companion_is_parted_only_below_its_contrast():
    image = gaussian_image((50, 60), [(20, 25, 10000, 0), (34, 25, 200, 0)], sigma=2.5)
    few, many = (divided(image, options=CatalogOptions(contrast=c))[1].max() for c in (0.05, 0.001))
    assert (few, many) == (1, 2)


def test_a_shallow_peak_is_noise_where_noise_is_high():
    image = gaussian_image((50, 60), [(20, 25, 3000, 0), (30, 25, 2000, 0)], sigma=2.5)
    assert divided(image, noise=30.0)[1].max() == 1


def test_many_stars_keep_their_number():
    rng = np.random.default_rng(5)
    x, y = (v.ravel() for v in np.meshgrid(np.arange(10, 190, 9), np.arange(10, 190, 9)))
    sources = np.stack(
        [x + rng.uniform(-1, 1, x.size), y + rng.uniform(-1, 1, x.size), rng.uniform(500, 5000, x.size)]
    )
    image = gaussian_image((200, 200), [(*row, 0) for row in sources.T], sigma=1.5)
    _, labels, _ = divided(image, threshold=0.01)
    assert labels.max() == x.size


def test_labels_are_in_the_order_of_the_pixels_and_without_gaps():
    _, labels, _ = divided(gaussian_image((60, 60), [(40, 12, 500, 0), (12, 40, 500, 0)]))
    assert np.unique(labels).tolist() == [0, 1, 2]
    assert labels[12, 40] == 1


def test_nothing_detected_gives_no_sources():
    groups = np.zeros((5, 6), dtype=np.int32)
    labels, parent = deblend(groups, groups.astype(np.float32), np.ones((5, 6), np.float32), OPTIONS)
    assert labels.shape == (5, 6)
    assert not labels.any()
    assert parent.size == 0
