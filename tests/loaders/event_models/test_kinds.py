"""Derivatives of kinds of models against plain differences."""

import numpy as np
import pytest

from loaders.event_models.kinds import (
    BINARY,
    FINITE,
    ORBIT,
    POINT,
    XALLARAP,
    View,
    curves_of,
    displacement_of,
    parameters_of,
    slopes_of,
)
from loaders.event_models.lens_fit import Points
from loaders.stored_curve.band import Band

AT = {
    POINT: [2461501.0, 0.3, 3.4],
    FINITE: [2461501.0, 0.1, 3.4, np.log(0.2)],
    BINARY: [2461501.0, 0.5, 3.4, 0.7, np.log(1e-3), 1.1, np.log(0.01)],
    ORBIT: [2461501.0, 0.5, 3.4, 0.7, np.log(1e-3), 1.1, np.log(0.01), 1.5, -0.8],
    XALLARAP: [2461501.0, 0.3, 3.4, np.log(20.0), np.log(0.2), 1.0, 0.6, 2.0],
}


@pytest.mark.parametrize("kind", AT)
@pytest.mark.parametrize("parallax", [False, True])
def test_slopes_are_differences(kind, parallax):
    time = np.linspace(2461430.3, 2461580.0, 300)
    points = Points.of([Band("F146", time, np.ones(300), np.ones(300))])
    moved = displacement_of(points, 268.0, -29.0, 2461501.0)
    view = View(points, moved, np.zeros(1), 1e-5, reference=2461510.0)
    at = np.array(AT[kind] + ([0.1, -0.2] if parallax else []))
    curves, step = curves_of(kind, view), parameters_of(kind, at).step
    ours = slopes_of(kind, view, 0.1 * step)(at, curves(at, time))
    for k, size in enumerate(step):
        ahead, behind = at.copy(), at.copy()
        ahead[k], behind[k] = at[k] + 0.1 * size, at[k] - 0.1 * size
        plain = (curves(ahead, time) - curves(behind, time)) / (0.2 * size)
        # But for points where the source touches the lens.
        assert np.quantile(np.abs(ours[k] - plain), 0.95) < 0.03 * np.abs(plain).max() + 1e-6
