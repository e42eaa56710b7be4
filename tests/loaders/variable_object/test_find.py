"""What is said of objects made to be of a kind."""

import numpy as np
import pytest

from loaders.stored_curve.band import Band
from loaders.variable_object.find import Series, VariableObject, describe_object

TIME = 2461500 + np.arange(0, 60, 0.05)


def bump(time):
    u = np.hypot(0.3, (time - time.mean()) / 1.5)
    return (u**2 + 2) / (u * np.sqrt(u**2 + 4)) - 1


SHAPES = {
    "periodic": lambda t: 0.05 * np.sin(2 * np.pi * t / 3.3),
    "eclipsing": lambda t: (
        -0.3 * (np.abs(t / 5.1 % 1 - 0.5) < 0.1) * (1 + np.cos(np.pi * (t / 5.1 % 1 - 0.5) / 0.1))
    ),
    "trend": lambda t: 0.002 * (t - t[0]),
    "brightening": bump,
    "fading": lambda t: -0.2 * bump(t),
    "scatter": lambda t: np.random.default_rng(4).normal(0, 0.05, t.size),
}


def band(shape, name="F146", seed=1):
    flux = 1000 * (1 + shape(TIME)) + np.random.default_rng(seed).normal(0, 5, TIME.size)
    return Band(name, TIME, flux, np.full(TIME.size, 5.0))


@pytest.mark.parametrize("kind", SHAPES)
def test_the_hint_is_the_kind(kind):
    said = describe_object(VariableObject(7, [band(SHAPES[kind])], []))
    assert (said.object_id, said.class_hint, said.n_point) == (7, kind, TIME.size)


def test_lines_go_through_fluxes_and_series_of_each_element():
    moved = Series("F146", "offset_ra", TIME, 3.0 * (TIME - TIME.mean()) / 365.25, np.full(TIME.size, 0.5))
    nothing = Series("F146", "e1", TIME, np.full(TIME.size, np.nan), np.full(TIME.size, np.nan))
    bands = [band(SHAPES["trend"]), band(SHAPES["trend"], "F213", 2)]
    said = describe_object(VariableObject(7, bands, [moved, nothing]))
    assert set(said.trends) == {("F146", "flux"), ("F213", "flux"), ("F146", "offset_ra")}
    line, middle = said.trends["F146", "offset_ra"]
    assert line.slope == pytest.approx(3.0)
    assert middle == pytest.approx(TIME.mean())
    assert said.trends["F213", "flux"][0].slope == pytest.approx(1000 * 0.002 * 365.25, rel=0.05)


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_points_are_unknown_and_have_a_row_all_the_same(count):
    few = Band("F146", TIME[:count], np.arange(count) + 1.0, np.ones(count))
    said = describe_object(VariableObject(7, [few], []))
    assert (said.class_hint, said.period, said.n_point) == ("unknown", None, count)
