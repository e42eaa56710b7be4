"""The background surface follows what is smooth and is not pulled by what is not."""

import numpy as np
import pytest

from loaders.photometry.background import BLOCK, BackgroundSurface, block_means, block_medians


def blocks(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return block_medians(image.astype(np.float32), np.ones(image.shape, dtype=bool), 0.5)


@pytest.mark.parametrize("shape", [(160, 200), (75, 130), (20, 16)])
def test_a_plane_is_reproduced_to_the_edges(shape):
    y, x = np.indices(shape)
    plane = 3.0 + 0.01 * x - 0.02 * y
    surface = BackgroundSurface(shape, 64.0)
    for _ in range(3):
        surface.update(*blocks(plane - surface.image()))
    tolerance = 0.02 * BLOCK if min(shape) < 2 * BLOCK else 0.05
    np.testing.assert_allclose(surface.image(), plane, atol=tolerance)


def test_a_smooth_bump_is_followed():
    y, x = np.indices((256, 256))
    bump = 5.0 + np.cos(x / 60) * np.sin(y / 70)
    surface = BackgroundSurface((256, 256), 48.0)
    surface.update(*blocks(bump))
    np.testing.assert_allclose(surface.image()[16:-16, 16:-16], bump[16:-16, 16:-16], atol=0.02)


def test_blocks_without_weight_are_bridged():
    value, weight = np.full((8, 8), 2.0), np.ones((8, 8))
    weight[2:5, 3:6] = 0
    value[2:5, 3:6] = np.nan
    surface = BackgroundSurface((8 * BLOCK, 8 * BLOCK), 40.0)
    surface.update(value, weight)
    np.testing.assert_allclose(surface.image(), 2.0, atol=1e-4)


def test_nothing_known_changes_nothing():
    surface = BackgroundSurface((64, 64), 32.0)
    surface.update(np.zeros((4, 4)), np.zeros((4, 4)))
    assert not surface.image().any()


def test_block_means_hold_outliers_and_skip_masked_pixels():
    residual = np.full((BLOCK, 2 * BLOCK), 0.5, dtype=np.float32)
    weight = np.full_like(residual, 4.0)
    residual[3, 4] = 1e6
    weight[5, BLOCK:] = 0
    residual[5, BLOCK:] = 1e6
    asked, total = block_means(residual, weight, np.zeros_like(residual), 4.0)
    assert asked[0, 0] == pytest.approx(0.5 + 1.5 / BLOCK**2, rel=1e-5)
    assert asked[0, 1] == pytest.approx(0.5)
    assert total[0] == pytest.approx([4 * BLOCK**2, 4 * BLOCK * (BLOCK - 1)])


def test_block_medians_count_usable_pixels_only():
    image = np.arange(BLOCK * BLOCK, dtype=np.float32).reshape(BLOCK, BLOCK)
    usable = image < 101
    value, count = block_medians(image, usable, 0.5)
    assert value[0, 0] == 50
    assert count[0, 0] == 101
    assert block_medians(image, np.zeros_like(usable), 0.5)[0][0, 0] == 0
