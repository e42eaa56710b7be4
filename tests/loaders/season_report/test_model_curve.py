"""The points of an event beside its models."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.season_report.model_curve import peak_window, seen_bands, times_to_draw, window
from tests.loaders.season_report import made_up


def test_what_the_true_model_leaves_is_noise_by_the_scaled_errors():
    event = made_up.event()
    seen = seen_bands(event, event.models[0])
    assert [one.band.name for one in seen] == ["F146", "F087"]
    for one in seen:
        assert one.band.error == pytest.approx(40.0 * made_up.ELEMENTS[one.band.name][3])
        assert abs(one.residual.mean()) < 4 / np.sqrt(len(one.band))
        assert one.residual.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(one.band)))


def test_an_element_without_a_flux_of_the_model_is_left_out():
    event = made_up.event()
    one = event.models[0]
    stored = replace(one.model, flux={key: flux for key, flux in one.model.flux.items() if key[0] == "F146"})
    assert [seen.band.name for seen in seen_bands(event, replace(one, model=stored))] == ["F146"]


def test_the_event_is_drawn_where_it_happens_and_where_there_are_points():
    low, high = window(made_up.event())
    assert (low, high) == pytest.approx((made_up.T_0 - 20, made_up.T_0 + 20), abs=1e-6)
    late = replace(made_up.model().model, value={"t_0": made_up.T_0 + 30, "u_0": 0.1, "t_E": 8.0})
    _, high = window(made_up.event(models=[replace(made_up.model(), model=late)]))
    assert made_up.T_0 + 39 < high <= made_up.T_0 + 40
    low, high = window(made_up.event(models=[]))
    assert high - low == pytest.approx(5 * 0.8)


def test_a_peak_that_is_short_is_drawn_by_itself():
    low, high = peak_window(made_up.event())
    assert (low, high) == pytest.approx((made_up.T_0 - 4, made_up.T_0 + 4))
    stored = made_up.model().model
    broad = replace(stored, value=dict(stored.value) | {"u_0": 0.5})
    assert peak_window(made_up.event(models=[replace(made_up.model(), model=broad)])) is None
    sources = {"t_0_1": made_up.T_0, "u_0_1": 0.01, "t_E": 8.0}
    double = replace(made_up.model(), model=replace(stored, value=sources))
    assert peak_window(made_up.event(models=[double])) is None


def test_times_are_dense_about_the_closest_approach():
    times = times_to_draw(made_up.event(), made_up.T_0 - 20, made_up.T_0 + 20)
    assert (np.diff(times) > 0).all()
    assert times[0] == made_up.T_0 - 20
    assert np.diff(times).max() < 0.05
    near = np.abs(times - made_up.T_0) < 0.01 * made_up.T_E
    assert near.sum() > 200
