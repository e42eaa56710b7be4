"""Twins among models: lenses made up by the relations of the papers, and lenses that are none."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_models.degeneracies import Twin, degeneracy_of, twins_among
from loaders.event_models.fitted_model import FittedModel
from loaders.event_models.kinds import BINARY, ORBIT, POINT, TWO_SOURCES

PATH = {"t_0": 2461461.7, "u_0": 0.1, "t_E": 20.0}
LENSES = PATH | {"s": 0.8, "q": 1e-3, "alpha": 40.0, "rho": 1e-3}
PARALLAX = {"pi_E_N": 0.2, "pi_E_E": -0.1}


def model(kind, value, chi2=1000.0, error=0.01):
    """A model whose parameters are known to some share; times to that share of a day."""
    errors = {
        name: error if name.startswith("t_0") else abs(error * number) for name, number in value.items()
    }
    flux = np.ones((1, kind.n_source + 1))
    ends = (["F146"], flux, np.ones(1), chi2, 1000, None, True, True)
    return FittedModel(kind, "pi_E_N" in value, value, errors, *ends)


def test_the_other_side_of_a_single_lens_is_its_twin():
    one = model(POINT, PATH | PARALLAX)
    other = PATH | PARALLAX | {"u_0": -0.1}
    turned = model(POINT, other | {"pi_E_N": -0.2})
    assert degeneracy_of(one, turned) == degeneracy_of(turned, one) == "ecliptic"
    # The path alone does not turn over, nor does another star.
    assert degeneracy_of(one, model(POINT, other)) is None
    assert degeneracy_of(one, model(POINT, other | {"pi_E_N": -0.2, "t_E": 30.0})) is None
    assert degeneracy_of(one, one) is None
    assert degeneracy_of(model(POINT, PATH), model(POINT, PATH | {"u_0": -0.1})) is None


def test_of_two_lenses_the_axis_and_its_turning_turn_over_too():
    rates = {"ds_dt": 0.3, "dalpha_dt": 20.0}
    value = LENSES | PARALLAX | rates
    turned = value | {"u_0": -0.1, "alpha": 320.0, "pi_E_N": -0.2, "dalpha_dt": -20.0}
    assert degeneracy_of(model(ORBIT, value), model(ORBIT, turned)) == "ecliptic"
    assert degeneracy_of(model(ORBIT, value), model(ORBIT, turned | {"alpha": 40.0})) is None
    assert degeneracy_of(model(ORBIT, value), model(ORBIT, turned | {"dalpha_dt": 20.0})) is None


def test_a_planet_within_and_without_the_ring():
    # A source that passes close to the host: s and 1/s.
    close = model(BINARY, LENSES | {"u_0": 0.005, "s": 0.7})
    wide = model(BINARY, LENSES | {"u_0": 0.005, "s": 1 / 0.7})
    assert degeneracy_of(close, wide) == degeneracy_of(wide, close) == "close_wide"
    assert degeneracy_of(close, model(BINARY, LENSES | {"u_0": 0.005, "s": 2.2})) is None
    # As fits to a simulated light curve came out, chi-squares 3.7 apart; errors are a tenth of what is off.
    found = LENSES | {"u_0": 0.0299, "t_E": 4.01, "s": 1.403, "q": 0.002015, "alpha": 110.0}
    other = found | {"u_0": 0.03117, "t_E": 4.011, "s": 0.7398, "q": 0.001982, "alpha": 110.1}
    fits = [model(BINARY, value, error=1e-3) for value in (found, other)]
    assert degeneracy_of(*fits) == "close_wide"
    assert degeneracy_of(close, close) is None


@pytest.mark.parametrize(("q", "masses"), [(0.2, 1), (0.45, 1), (0.2, -1)])
def test_stellar_pairs_by_dominik_and_an(q, masses):
    """q_w = q_c / (1 - q_c)², and the wide lens alone has the Einstein radius of the close pair."""
    s, other = 0.3, q / (1 - q) ** 2
    apart = np.sqrt(other / (s**2 * q)) * (1 + q)
    close = LENSES | {"s": s, "q": q, "u_0": 0.05}
    wide = close | {"t_E": 20.0 * np.sqrt(1 + other), "s": apart / np.sqrt(1 + other), "q": other}
    if masses < 0:
        # The same lenses, the other named first.
        wide |= {"q": 1 / other, "alpha": 220.0}
    # The centre of mass is elsewhere, so that u_0 is another.
    wide |= {"u_0": -0.6}
    assert degeneracy_of(model(BINARY, close), model(BINARY, wide)) == "close_wide"
    assert degeneracy_of(model(BINARY, close), model(BINARY, wide | {"t_E": 60.0})) is None
    assert degeneracy_of(model(BINARY, close), model(BINARY, wide | {"s": wide["s"] * 1.6})) is None


@pytest.mark.parametrize("s", [1.35, 1.1])
def test_a_planet_on_either_side_of_the_crossing(s):
    """Zhang, Gaudi & Bloom: s - 1/s of both have the mean u_0 / sin alpha."""
    value = LENSES | {"u_0": 0.3, "alpha": 70.0, "q": 1e-4}
    other = 2 * 0.3 / np.sin(np.radians(70.0)) - (s - 1 / s)
    beyond = (other + np.sqrt(other**2 + 4)) / 2
    one, twin = model(BINARY, value | {"s": s}, error=1e-3), model(BINARY, value | {"s": beyond}, error=1e-3)
    assert degeneracy_of(one, twin) == degeneracy_of(twin, one) == "inner_outer"
    far = model(BINARY, value | {"s": beyond * 1.3}, error=1e-3)
    assert degeneracy_of(one, far) is None
    heavy = model(BINARY, value | {"s": beyond, "q": 1e-3}, error=1e-3)
    assert degeneracy_of(one, heavy) is None


def test_two_sources_beside_two_lenses():
    double = {"t_0_1": 2461461.7, "u_0_1": 0.1, "t_E": 20.0, "t_0_2": 2461470.0, "u_0_2": 0.02}
    sources, lenses = model(TWO_SOURCES, double), model(BINARY, LENSES)
    assert degeneracy_of(sources, lenses) == degeneracy_of(lenses, sources) == "binary_source"
    assert degeneracy_of(model(POINT, PATH), lenses) is None


def test_twins_are_linked_to_the_better_one_and_only_where_both_describe_the_event():
    value = LENSES | PARALLAX | {"u_0": 0.005, "s": 0.7}
    turned = {"u_0": -0.005, "alpha": 320.0, "pi_E_N": -0.2}
    best = model(BINARY, value, 1000.0)
    wide = model(BINARY, value | {"s": 1 / 0.7}, 1004.0)
    both = model(BINARY, value | turned | {"s": 1 / 0.7}, 1010.0)
    single = model(POINT, PATH | PARALLAX, 5000.0)
    expected = [None, Twin(0, "close_wide"), Twin(1, "ecliptic"), None]
    assert twins_among([best, wide, both, single]) == expected
    worse = replace(wide, chi2=1025.5)
    assert twins_among([best, worse]) == [None, None]
    assert twins_among([best, replace(wide, chi2=1024.5)]) == [None, Twin(0, "close_wide")]
    assert twins_among([]) == []
