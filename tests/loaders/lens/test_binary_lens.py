"""Two lenses against MulensModel, VBMicrolensing's contours, and limits that are known in closed form."""

import numpy as np
import pytest
import VBMicrolensing
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.event_models.point_lens import magnification as point_lens
from loaders.lens import binary_lens
from tests.loaders.lens.peer import mulens_model

LENSES = [
    (1.1, 1e-3, 1e-3),
    (0.7, 0.3, 0.01),
    (1.6, 1.0, 0.002),
    (0.93, 3e-5, 2e-3),
    (2.5, 0.05, 0.03),
    (1.2, 4.0, 0.01),
]


def contour(x, y, s, q, rho, limb=0.0):
    """Magnification by integrals along the edges of the images, ten times as exact as promised."""
    engine = VBMicrolensing.VBMicrolensing()
    engine.Tol = engine.RelTol = 1e-4
    engine.minannuli = 4
    engine.a1 = limb
    return np.array([engine.BinaryMagDark(s, q, *at, rho, 1e-4) for at in zip(x, y, strict=True)])


@pytest.mark.parametrize(("s", "q", "rho"), LENSES)
@pytest.mark.parametrize("alpha", [20.0, 250.0])
def test_light_curves_are_those_of_mulens_model(s, q, rho, alpha):
    peer = mulens_model()
    given = {"t_0": 7.0, "u_0": 0.12, "t_E": 20.0, "rho": rho, "s": s, "q": q, "alpha": alpha}
    model = peer.Model(given)
    model.set_magnification_methods([-100.0, "VBM", 100.0])
    time = np.linspace(-40.0, 40.0, 400)
    x, y = binary_lens.trajectory(time, 7.0, 0.12, 20.0, alpha)
    path = model.get_trajectory(time)
    np.testing.assert_allclose((x, y), (path.x, path.y), atol=1e-12)
    np.testing.assert_allclose(
        binary_lens.magnification(x, y, s, q, rho), model.get_magnification(time), rtol=1.5e-3
    )


@pytest.mark.parametrize(("s", "q", "rho"), LENSES[:5])
def test_a_point_source_is_that_of_mulens_model(s, q, rho):
    peer = mulens_model()
    model = peer.Model({"t_0": 0.0, "u_0": 0.3, "t_E": 1.0, "s": s, "q": q, "alpha": 130.0})
    time = np.linspace(-4.0, 4.0, 500)
    ours = binary_lens.magnification(*binary_lens.trajectory(time, 0.0, 0.3, 1.0, 130.0), s, q)
    np.testing.assert_allclose(ours, model.get_magnification(time), rtol=1e-5)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(-0.7, 0.7),
    st.floats(-6.0, 0.0),
    st.floats(-4.0, -0.7),
    st.floats(-2.5, 0.8),
    st.floats(0.0, 2 * np.pi),
    st.booleans(),
    st.sampled_from([0.0, 0.5]),
)
def test_the_cheap_path_is_taken_only_where_it_is_good(log_s, log_q, log_rho, log_u, angle, planet, limb):
    s, q, rho = 10**log_s, 10**log_q, 10**log_rho
    u = 10**log_u * (min(1.0, 10 * np.sqrt(q)) if planet else 1.0)
    x = u * np.cos(angle) + (s - 1 / s if planet else 0.0) / (1 + q)
    y = u * np.sin(angle)
    if planet and s < 1:
        y += 2 * np.sqrt(q * (1 - s * s)) / ((1 + q) * s)
    ours = binary_lens.magnification([x], [y], s, q, rho, limb)
    np.testing.assert_allclose(ours, contour([x], [y], s, q, rho, limb), rtol=1.2e-3)


def test_a_dark_limb_is_seen_around_a_caustic_within_the_disc():
    """The mean of rings, each evenly bright: ``A(r) r²`` is the light of a disc of radius r."""
    s, q, rho, limb = 0.24582440689201973, 10**-3.125, 10**-2.359375, 0.5
    x, y = -3.8192233142025294, 0.21493099922560363
    radii = rho * np.linspace(0, 1, 401)
    light = np.array([0.0, *(contour([x], [y], s, q, r)[0] * r * r for r in radii[1:])])
    middle = (radii[1:] + radii[:-1]) / 2 / rho
    bright = (1 - limb * (1 - np.sqrt(1 - middle**2))) / (1 - limb / 3) / rho**2
    ours = binary_lens.magnification([x], [y], s, q, rho, limb)[0]
    assert ours == pytest.approx(np.sum(np.diff(light) * bright), rel=3e-4)


@given(st.floats(0.02, 5.0), st.floats(0.0, 2 * np.pi))
def test_a_second_lens_of_no_mass_changes_nothing(u, angle):
    x, y = u * np.cos(angle), u * np.sin(angle)
    ours = binary_lens.magnification([x], [y], 5.5, 1e-12)
    assert ours[0] == pytest.approx(point_lens(np.array([u]))[0], rel=1e-5)


def test_lenses_close_together_are_one():
    u = np.array([0.3, 1.0, 3.0])
    np.testing.assert_allclose(binary_lens.magnification(u, 0 * u, 1e-3, 0.5), point_lens(u), rtol=1e-4)


def test_far_away_nothing_is_magnified():
    np.testing.assert_allclose(
        binary_lens.magnification([1e3, 1e5], [0.0, 2.0], 1.2, 0.3, 0.01), 1.0, rtol=1e-9
    )


@pytest.mark.heavy
def test_the_mean_over_the_sky_grows_by_the_area_of_the_ring():
    """Light is conserved: the integral of A - 1 over a wide square is what it is for a single lens."""
    axis = (np.arange(1200) + 0.5) / 100.0 - 6.0
    x, y = (grid.ravel() for grid in np.meshgrid(axis, axis))
    two = binary_lens.magnification(x, y, 0.8, 0.4, 0.0)
    one = point_lens(np.hypot(x, y))
    assert np.mean(two) == pytest.approx(np.mean(one), rel=2e-3)


def test_exchanging_the_lenses_turns_the_field_round():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 200))
    ours = binary_lens.magnification(x, y, 1.3, 0.2)
    np.testing.assert_allclose(binary_lens.magnification(-x, y, 1.3, 5.0), ours, rtol=1e-9)
    np.testing.assert_allclose(binary_lens.magnification(x, -y, 1.3, 0.2), ours, rtol=1e-6)


def test_a_dark_limb_lowers_nothing_far_away_and_steepens_near_a_caustic():
    x, y = np.linspace(-0.2, 0.6, 60), np.full(60, 0.05)
    disc, dark = (binary_lens.magnification(x, y, 1.0, 0.1, 0.02, limb) for limb in (0.0, 0.6))
    np.testing.assert_allclose(dark, contour(x, y, 1.0, 0.1, 0.02, 0.6), rtol=1.2e-3)
    assert np.abs(dark / disc - 1).max() > 0.01


def test_shape_and_nan_are_kept():
    x = np.array([[0.3, np.nan], [1.0, 2.0]])
    out = binary_lens.magnification(x, 0.5, 1.0, 0.1)
    assert out.shape == (2, 2)
    assert np.isnan(out[0, 1])
    assert np.all(out[~np.isnan(x)] > 1)


@pytest.mark.parametrize("wrong", [{"s": 0.0}, {"q": -1.0}, {"rho": -0.1}, {"limb": 1.2}, {"s": np.nan}])
def test_impossible_lenses_are_refused(wrong):
    with pytest.raises(ValueError, match="need s > 0"):
        binary_lens.magnification([0.1], [0.1], **({"s": 1.0, "q": 0.1} | wrong))
