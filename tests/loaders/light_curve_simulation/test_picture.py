"""The picture of all classes."""

import numpy as np
import pytest
from matplotlib.image import imread

from loaders.light_curve_simulation import picture
from loaders.light_curve_simulation.schedule import Cadence
from loaders.light_curve_simulation.simulate import KINDS, Recipe, prepare, simulate

SHORT = Cadence(seasons=((61448.0, 61468.0),))


@pytest.mark.heavy
def test_every_class_has_a_panel(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "_TRIES", 2)
    picture.draw_classes(Recipe(3, cadence=SHORT), tmp_path / "classes.png")
    image = imread(tmp_path / "classes.png")[..., :3]
    rows = -(-len(KINDS) // 4)
    panels = [part for row in np.array_split(image, rows) for part in np.array_split(row, 4, axis=1)]
    coloured = [np.any(np.ptp(part, axis=-1) > 0.2) for part in panels]
    assert sum(coloured) >= len(KINDS) - 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_has_points(kind):
    curve = simulate(prepare(Recipe(4, cadence=SHORT, shares={kind: 1.0})), 1)
    first, last = picture._interval(curve)
    times = curve.points["F146"].bjd_tdb
    assert np.any((times > first) & (times < last))
