"""Maps between images against the transforms that they were fitted to, and against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.wfi.placement import fit_placement, same_place

SLOPES = st.floats(-0.01, 0.01)


def transform(slopes):
    def to_other(x, y):
        a, b, c = slopes
        u, v = x - 500, y - 400
        return 510 + (1 + a) * u - b * v + 1e-6 * c * u * v, 390 + b * u + (1 - c) * v + 1e-6 * a * u**2

    return to_other


@given(slopes=st.tuples(SLOPES, SLOPES, SLOPES))
@settings(max_examples=25, deadline=None)
def test_a_smooth_map_is_reproduced_with_its_slopes(slopes):
    exact = transform(slopes)
    place = fit_placement(exact, (0, 0), (1000, 800))
    x, y = np.array([3.0, 512.2, 999.0]), np.array([7.0, 100.4, 799.0])
    np.testing.assert_allclose(place(x, y), exact(x, y), atol=2e-5)
    step = 0.5
    along_x = (np.stack(exact(x + step, y)) - np.stack(exact(x - step, y))) / (2 * step)
    along_y = (np.stack(exact(x, y + step)) - np.stack(exact(x, y - step))) / (2 * step)
    np.testing.assert_allclose(place.jacobian(x, y), np.stack([along_x.T, along_y.T], axis=2), atol=1e-6)


def test_a_grid_is_mapped_as_its_points_are():
    place = fit_placement(transform((0.003, 0.002, 0.001)), (0, 0), (1000, 800))
    x, y = np.arange(0, 50, 0.5), np.arange(10, 30, 0.5)
    points = place(*(grid.ravel() for grid in np.meshgrid(x, y)))
    for got, wanted in zip(place.grid(x, y), points, strict=True):
        np.testing.assert_allclose(got.ravel(), wanted, rtol=0, atol=1e-9)


def test_an_image_lies_on_itself():
    x, y = np.array([0.0, 17.25]), np.array([3.5, 4088.0])
    np.testing.assert_array_equal(same_place()(x, y), [x, y])
    np.testing.assert_array_equal(same_place().jacobian(x, y), np.broadcast_to(np.eye(2), (2, 2, 2)))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (lambda x, y: (x, np.where(x > 900, np.nan, y)), "not finite"),
        (lambda x, y: (x + 3 * np.sin(x / 20), y), "not smooth"),
    ],
)
def test_a_map_that_is_not_smooth_is_refused(bad, why):
    with pytest.raises(ValueError, match=why):
        fit_placement(bad, (0, 0), (1000, 800))
