"""Drawing is held against scipy's splines and finite differences; the transposes against drawing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from loaders.psf.model import EffectivePsf
from loaders.psf.render import SplinePsf, Stars, accumulate, columns, draw, effective

SIZE = 41
INSIDE = st.floats(-8.0, 47.0)


def random_psf(nodes: int = 1, oversampling: int = 4, half_width: int = 5) -> EffectivePsf:
    rng = np.random.default_rng(3)
    size = 2 * oversampling * half_width + 1
    axis = np.linspace(-2.5, 2.5, size)
    bump = np.exp(-(axis[:, None] ** 2) - axis**2)
    stamps = bump * (1 + 0.3 * rng.normal(size=(nodes, nodes, size, size)))
    where = np.linspace(0, SIZE - 1.0, nodes) if nodes > 1 else np.zeros(1)
    return EffectivePsf(stamps, oversampling, where, where)


def one_star(x: float, y: float, flux: float = 1.0, radius: int = 9) -> Stars:
    return Stars(np.array([x]), np.array([y]), np.array([flux]), np.array([radius]))


def expected_image(stamp: np.ndarray, x: float, y: float, oversampling: int, reach: float) -> np.ndarray:
    j, i = np.mgrid[:SIZE, :SIZE].astype(float)
    centre = (stamp.shape[0] - 1) / 2
    where = centre + oversampling * (j - y), centre + oversampling * (i - x)
    values = map_coordinates(stamp, where, order=3, mode="mirror")
    return np.where((np.abs(j - y) <= reach) & (np.abs(i - x) <= reach), values, 0.0)


@given(x=INSIDE, y=INSIDE, radius=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_a_star_is_the_spline_of_its_stamp(x, y, radius):
    psf = random_psf()
    image = np.zeros((SIZE, SIZE))
    draw(image, SplinePsf.of(psf), one_star(x, y, 2.0, radius))
    expected = 2.0 * expected_image(psf.stamps[0, 0], x, y, 4, min(radius, 5))
    assert image == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("x", "y"), [(20.0, 20.0), (15.0, 25.5), (0.0, 40.0), (20.25, 20.75)])
def test_stars_on_grid_points_take_the_values_of_the_stamp(x, y):
    psf = random_psf()
    image = np.zeros((SIZE, SIZE))
    draw(image, SplinePsf.of(psf), one_star(x, y))
    assert image == pytest.approx(expected_image(psf.stamps[0, 0], x, y, 4, 5), abs=1e-12)


def test_nodes_are_blended_bilinearly():
    psf = random_psf(nodes=2)
    for x, y in ((0.0, 0.0), (40.0, 0.0), (20.0, 20.0), (30.0, 5.0)):
        image = np.zeros((SIZE, SIZE))
        draw(image, SplinePsf.of(psf), one_star(x, y))
        assert image == pytest.approx(expected_image(psf.at(x, y), x, y, 4, 5), abs=1e-12)


def test_between_nodes_a_star_differs_little_from_the_exact_blend():
    psf = random_psf(nodes=2)
    x, y = 13.37, 28.81
    image = np.zeros((SIZE, SIZE))
    draw(image, SplinePsf.of(psf), one_star(x, y))
    difference = np.abs(psf.stamps[0] - psf.stamps[1]).max()
    assert image == pytest.approx(expected_image(psf.at(x, y), x, y, 4, 5), abs=difference / 16)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_derivatives_are_with_respect_to_the_position(order):
    spline, h = SplinePsf.of(random_psf()), 1e-5
    image, ahead, behind = (np.zeros((SIZE, SIZE)) for _ in range(3))
    draw(image, spline, one_star(18.3, 21.6), order)
    draw(ahead, spline, one_star(18.3 + h * order[1], 21.6 + h * order[0]))
    draw(behind, spline, one_star(18.3 - h * order[1], 21.6 - h * order[0]))
    assert image == pytest.approx((ahead - behind) / (2 * h), abs=1e-6)


@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_projections_are_transposes_of_drawing(seed, nodes):
    rng = np.random.default_rng(seed)
    psf = SplinePsf.of(random_psf(nodes))
    stars = Stars(*rng.uniform(-4, SIZE + 4, (2, 20)), rng.normal(size=20), rng.integers(1, 7, 20))
    weights = rng.normal(size=(SIZE, SIZE))
    image = np.zeros((SIZE, SIZE))
    draw(image, psf, stars)
    product = (weights * image).sum()
    assert columns(weights, psf, stars).sum() == pytest.approx(product, abs=1e-9)
    assert (accumulate(weights, psf, stars) * psf.coefficients).sum() == pytest.approx(product, abs=1e-9)


def test_a_hole_leaves_out_the_centre_and_nothing_else():
    spline = SplinePsf.of(random_psf())
    whole, ring, core = (np.zeros((SIZE, SIZE)) for _ in range(3))
    draw(whole, spline, one_star(20.4, 19.7))
    draw(ring, spline, one_star(20.4, 19.7), hole=2)
    draw(core, spline, one_star(20.4, 19.7, radius=2))
    assert ring + core == pytest.approx(whole, abs=1e-14)
    assert (ring[18:22, 19:23] == 0).all()


def test_stamps_come_back_from_their_coefficients():
    psf = random_psf(nodes=2)
    assert effective(SplinePsf.of(psf)).stamps == pytest.approx(psf.stamps, abs=1e-12)


def test_no_stars_draw_nothing():
    empty = Stars(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    image = np.zeros((5, 5))
    draw(image, SplinePsf.of(random_psf()), empty)
    assert not image.any()


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="same size"):
        Stars(np.zeros(2), np.zeros(2), np.zeros(1), np.zeros(2, dtype=np.int64))
