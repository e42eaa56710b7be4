"""What must be found is found, what must not is not, and nothing gets lost."""

from dataclasses import replace

import numpy as np
import pytest

from loaders.event_efficiency import trial as module
from loaders.event_efficiency.draw import POINT_LENS
from loaders.event_efficiency.rows import Tried, binary_class, columns_of
from loaders.event_efficiency.trial import NULLS, Attempt, attempt, expected_gain, inject

from .stars import BEGIN, DAYS, FLUX, constant, trial

QUIET = {"rho": 0.0, "pi_E_N": 0.0, "pi_E_E": 0.0}


def paczynski(time, t_0, t_e, u_0):
    """Magnification of a point by a point (Paczynski 1986)."""
    square = u_0**2 + ((time - t_0) / t_e) ** 2
    return (square + 2) / np.sqrt(square * (square + 4))


@pytest.fixture
def given(monkeypatch):
    """Let all trials have one event, in the middle of the season, of all the light or a part of it."""

    def give(t_e: float, u_0: float, share: float = 1.0) -> dict[str, float]:
        event = {"t_0": BEGIN + DAYS / 2, "t_0_par": BEGIN, "t_E": t_e, "u_0": u_0, **QUIET}
        monkeypatch.setattr(module, "draw", lambda *_: event)
        monkeypatch.setattr(module, "source_fraction", lambda *_: share)
        return event

    return give


def test_strong_events_are_all_found_and_nothing_where_there_is_nothing(given):
    given(5.0, 0.3)
    for number in range(5):
        event, *nulls = attempt(trial(number))
        assert (event.kind, event.classification, event.is_found) == (POINT_LENS, "single_lens", True)
        assert event.measured["t_0"] == pytest.approx(event.truth["t_0"], abs=0.05)
        assert event.measured["t_E"] == pytest.approx(5.0, rel=0.1)
        assert [one.kind for one in nulls] == list(NULLS)
        assert not any(one.is_found for one in nulls)


def test_events_without_light_are_never_found(given):
    given(5.0, 0.3, share=1e-9)
    assert not any(one.is_found for number in range(5) for one in attempt(trial(number)))


def test_the_expected_gain_is_that_of_least_squares(given):
    event = given(5.0, 0.3, share=0.4)
    curve = constant()
    truth, (lit,) = inject(trial(), {"F146": FLUX}, np.random.default_rng(1))
    magnified = paczynski(curve.time, event["t_0"], 5.0, 0.3)
    light = FLUX * (1 + 0.4 * (magnified - 1))
    assert lit.flux == pytest.approx(light, abs=6 * float(lit.error.max()))
    design = np.ones((curve.time.size, 1)) / lit.error[:, None]
    (_,), (flat,), *_ = np.linalg.lstsq(design, light / lit.error, rcond=None)
    assert truth["expected_delta_chi2"] == pytest.approx(flat, rel=1e-4)


@pytest.mark.parametrize(("wanted", "found"), [(25.0, 0), (400.0, 6)])
def test_the_limit_is_that_of_the_search(given, wanted, found):
    """A lens must lower chi-square by 80: events far below are not found, and those far above are."""
    event = given(3.0, 0.5)
    curve = constant()
    rise = paczynski(curve.time, event["t_0"], 3.0, 0.5) - 1
    share = np.sqrt(wanted / expected_gain(curve, FLUX * rise, FLUX, 7))
    given(3.0, 0.5, share=float(share))
    assert sum(attempt(trial(number))[0].is_found for number in range(6)) == found


def test_an_event_at_another_time_is_missed(given):
    event = given(5.0, 0.3)
    assert module.is_near(event["t_0"] + 2.4, event)
    assert not module.is_near(event["t_0"] + 2.6, event)
    assert module.is_near(event["t_0"] + 0.04, event | {"t_E": 0.01})


def test_a_star_without_points_is_a_failure_that_is_counted():
    dark = trial()
    dark.curves[0].flux[:] = np.nan
    (only,) = attempt(dark)
    assert (only.classification, only.is_failed, binary_class(only)) == ("no_points", True, "FN")


def test_a_star_that_had_its_turn_is_not_tried_without_an_event_again():
    first = attempt(trial())
    assert [one.kind for one in first] == ["point_lens", *NULLS]
    assert attempt(replace(trial(), is_first=False)) == first[:1]


def test_a_number_says_all():
    first, again = (attempt(trial(3)) for _ in range(2))
    assert first == again


def test_rows_are_those_of_the_attempts(given):
    given(5.0, 0.3)
    constants = {"injection_run_id": 1, "load_run_id": 2, "season": 0, "photometry_kind": "psf"}
    tables = columns_of([Tried(7, 99, None, attempt(trial()))], constants)
    truth, found = tables["injected_event"], tables["event_recovery"]
    assert truth["injected_event_id"] == found["injected_event_id"] == [28, 29, 30, 31]
    assert found["binary_class"] == ["TP", "TN", "TN", "TN"]
    assert truth["einstein_time"] == [5.0, None, None, None]
    assert truth["baseline_flux"] == [pytest.approx(FLUX, rel=0.01)] * 4


def test_planets_are_companions_lighter_than_a_tenth():
    selection = module.Selection(9.0, 9, True)
    for reason, q, has in (
        ("binary_lens", 1e-3, True),
        ("binary_lens", 0.3, False),
        ("anomalous", 1e-3, False),
    ):
        assert Attempt("planet", {}, selection, reason, True, False, {"q": q}).has_planet is has
