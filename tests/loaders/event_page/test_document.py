"""An event as arrays for plots."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_page.document import event_document, geometry
from loaders.lens.binary_lens import trajectory
from loaders.season_report.model_curve import curve_of
from tests.loaders.season_report import made_up


def test_points_and_the_model_are_those_of_the_event():
    event = made_up.event()
    document = event_document(event, None)
    assert [one["optical_element"] for one in document["bands"]] == ["F146", "F087"]
    for one, band in zip(document["bands"], event.bands, strict=True):
        assert one["time"].tolist() == band.time.tolist()
        assert one["residual"].std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(band)))
    low, high = document["window"]
    model = document["models"][0]
    assert model["time"][0] == low
    assert model["time"][-1] == high
    # The true magnification (Paczynski 1986), which made the points.
    value, stored = event.models[0].model.value, event.models[0].model
    u2 = value["u_0"] ** 2 + ((model["time"] - value["t_0"]) / value["t_E"]) ** 2
    true = stored.flux["F146", 1] * (u2 + 2) / np.sqrt(u2 * (u2 + 4)) + stored.flux["F146", 0]
    assert model["flux"]["F146"] == pytest.approx(true, rel=1e-6)


def test_models_are_drawn_between_the_times_that_are_seen():
    span = (made_up.T_0 - 1.0, made_up.T_0 + 2.0)
    model = event_document(made_up.event(), span)["models"][0]
    assert (model["time"][0], model["time"][-1]) == span


def test_nothing_is_drawn_of_an_event_without_a_model_or_points():
    assert event_document(made_up.event(models=[]), None) is None
    assert event_document(made_up.event(bands=[]), None) is None
    strange = replace(made_up.model(), model=replace(made_up.model().model, name="9L9S"))
    assert event_document(made_up.event(models=[strange]), None) is None


def test_a_single_lens_is_passed_at_its_impact_parameter():
    event = made_up.event()
    seen = geometry(curve_of(event, event.models[0]), (made_up.T_0 - 5, made_up.T_0 + 5))
    value = event.models[0].model.value
    assert seen["y"] == pytest.approx(np.full(seen["y"].size, value["u_0"]))
    assert np.interp(value["t_0"], seen["time"], seen["x"]) == pytest.approx(0.0, abs=1e-9)
    assert seen["lenses"] == [{"x": 0.0, "mass": 1.0}]


def test_two_lenses_are_passed_as_the_conventions_say():
    value = {"t_0": made_up.T_0, "u_0": 0.1, "t_E": 10.0, "s": 1.2, "q": 0.25, "alpha": 30.0, "rho": 0.001}
    stored = replace(made_up.model().model, name="2L1S", n_lens=2, value=value)
    event = made_up.event(models=[replace(made_up.model(), model=stored)])
    seen = geometry(curve_of(event, event.models[0]), (made_up.T_0 - 5, made_up.T_0 + 5))
    x, y = trajectory(seen["time"], made_up.T_0, 0.1, 10.0, 30.0)
    assert seen["x"] == pytest.approx(x)
    assert seen["y"] == pytest.approx(y)
    # Their centre of mass is the origin.
    assert sum(one["x"] * one["mass"] for one in seen["lenses"]) == pytest.approx(0.0)
    assert seen["caustic_x"].size > 1000
