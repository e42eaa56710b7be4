"""The course of an event's light: against the formulae of single lenses, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from loaders.refined_photometry.stored_event import EventModel
from loaders.refined_photometry.template import light_course
from tests.loaders.refined_photometry.scenes import magnified

PLACE = (267.8, -29.5)
TIME = np.random.default_rng(1).permutation(np.linspace(0.0, 10.0, 41))
SINGLE = {"t_0": 5.0, "u_0": 0.15, "t_E": 1.5}
FLUX = {("F146", 1): 300.0, ("F146", 0): 50.0}


def model(name="1L1S", value=SINGLE, flux=FLUX, t_0_par=None):
    return EventModel(1, name, value, flux, t_0_par)


def test_a_single_lens_is_that_of_paczynski():
    added = magnified(TIME) - 1
    assert light_course(model(), PLACE, "F146", TIME) == pytest.approx(added / added.max())


def test_a_planet_that_weighs_nothing_changes_nothing():
    value = SINGLE | {"s": 1.2, "q": 1e-9, "alpha": 30.0, "rho": 1e-3}
    found = light_course(model("2L1S", value), PLACE, "F146", TIME)
    added = magnified(TIME) - 1
    assert found == pytest.approx(added / added.max(), rel=2e-3, abs=1e-3)


def test_two_sources_count_by_their_fluxes():
    value = {"t_0_1": 5.0, "u_0_1": 0.15, "t_0_2": 7.0, "u_0_2": 0.3, "t_E": 1.5}
    flux = {("F146", 1): 100.0, ("F146", 2): 300.0, ("F146", 0): 0.0}
    added = 100 * (magnified(TIME) - 1) + 300 * (magnified(TIME, t_0=7.0, u_0=0.3) - 1)
    found = light_course(model("1L2S", value, flux), PLACE, "F146", TIME)
    assert found == pytest.approx(added / added.max())


def test_parallax_of_zero_is_none():
    moved = model("1L1S_parallax", SINGLE | {"pi_E_N": 0.0, "pi_E_E": 0.0}, t_0_par=2_461_465.0)
    time = TIME + 2_461_460.0
    value = SINGLE | {"t_0": 2_461_465.0}
    at_rest = light_course(model(value=value), PLACE, "F146", time)
    shifted = EventModel(1, moved.name, moved.value | {"t_0": 2_461_465.0}, FLUX, 2_461_465.0)
    assert light_course(shifted, PLACE, "F146", time) == pytest.approx(at_rest)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_times_do(n):
    added = magnified(TIME[:n]) - 1
    found = light_course(model(), PLACE, "F146", TIME[:n])
    assert found == pytest.approx(added / added.max(initial=1e-300))


def test_an_element_without_fluxes_takes_those_of_another():
    assert model().source_flux("F087", 1) == [300.0]
    assert model(flux={}).source_flux("F087", 2).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("name", "value"), [("3L1S", SINGLE), ("1L1S", {"t_0": 5.0}), ("2L1S", SINGLE)])
def test_what_is_not_known_is_said(name, value):
    with pytest.raises(KeyError):
        light_course(model(name, value), PLACE, "F146", TIME)
