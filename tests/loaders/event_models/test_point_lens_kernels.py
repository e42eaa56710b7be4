"""Normal equations of a single lens, against the same by projections of all points."""

import numpy as np
import pytest

from loaders.event_models.point_lens import magnification
from loaders.event_models.point_lens_kernels import Points, descend, normal, solve_fluxes, sums_of

LENS = np.array([3.0, np.log(2.0), np.log(0.2)])
STEPS = (1e-5, 1e-6, 1e-6)


def lit(time, parameter):
    t_0, t_eff, u_0 = parameter[0], np.exp(parameter[1]), np.exp(parameter[2])
    return magnification(np.hypot(u_0, (time - t_0) * u_0 / t_eff))


@pytest.fixture
def curve():
    """Two elements with other errors, the second fainter."""
    rng = np.random.default_rng(4)
    time = np.sort(rng.uniform(-40, 40, 500))
    start = np.array([0, 350, 500])
    error = np.where(np.arange(500) < 350, 5.0, 9.0)
    flux = np.where(np.arange(500) < 350, 100.0, 30.0) * lit(time, LENS) + error * rng.standard_normal(500)
    weight = 1 / error**2
    for a, b in ((0, 350), (350, 500)):
        flux[a:b] -= np.average(flux[a:b], weights=weight[a:b])
    return time, flux, weight, start


@pytest.mark.parametrize("least", [-np.inf, -20.0])
def test_normal_equations_are_those_of_what_no_flux_can_take(curve, least):
    time, flux, weight, start = curve
    there = LENS + np.array([0.2, 0.1, -0.1])
    sums = sums_of(time, flux, weight, start, there)
    fluxes = np.array([solve_fluxes(one, least) for one in sums])
    assert (fluxes[:, 0] > 0).all()
    if np.isfinite(least):
        assert (fluxes[:, 1] == least).any()
    matrix, right = np.zeros((3, 3)), np.zeros(3)
    for (a, b), (source, blend) in zip(((0, 350), (350, 500)), fluxes, strict=True):
        root = np.sqrt(weight[a:b])
        free = [lit(time[a:b], there), np.ones(b - a)][: 1 if blend == least else 2]
        basis, _ = np.linalg.qr(np.column_stack(free) * root[:, None])
        slopes = np.column_stack([
            (lit(time[a:b], there + h * e) - lit(time[a:b], there - h * e)) / (2 * h)
            for h, e in zip(STEPS, np.eye(3), strict=True)
        ])  # fmt: skip
        slopes *= source * root[:, None]
        left = (flux[a:b] - source * lit(time[a:b], there) - blend) * root
        matrix += slopes.T @ (slopes - basis @ (basis.T @ slopes))
        right += slopes.T @ left
    ours = normal(sums, fluxes, np.full(2, least))
    np.testing.assert_allclose(ours[0], matrix, rtol=1e-5)
    np.testing.assert_allclose(ours[1], right, rtol=1e-5, atol=1e-6 * np.abs(right).max())


def test_the_descent_ends_where_no_step_is_left(curve):
    time, flux, weight, start = curve
    points = Points(time, flux, weight, start, np.full(2, -np.inf), float(weight @ flux**2))
    wide = np.full(3, 1e3)
    found = descend(points, LENS + np.array([1.0, 0.5, 0.5]), -wide, wide)
    matrix, right = normal(found.sums, found.flux, points.least)
    assert found.converged
    assert right @ np.linalg.solve(matrix, right) < 0.01
    assert np.all(np.abs(found.parameter - LENS) < 5 / np.sqrt(np.diag(matrix)) + 0.2)


def test_points_that_say_nothing_leave_everything_where_it_is():
    time = np.linspace(0, 10, 20)
    points = Points(time, np.zeros(20), np.ones(20), np.array([0, 20]), np.array([-np.inf]), 0.0)
    found = descend(points, LENS, -np.full(3, 1e3), np.full(3, 1e3))
    np.testing.assert_array_equal(found.parameter, LENS)
    assert found.chi2 == 0.0
