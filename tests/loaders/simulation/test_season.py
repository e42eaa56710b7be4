from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.simulation.parameters import default_parameters
from loaders.simulation.season import Identifiers, plan_exposures

SURVEY = default_parameters().survey


def test_three_days_have_the_cadence_of_the_survey() -> None:
    plan = plan_exposures(SURVEY)
    number = Counter(e.optical_element for e in plan)
    assert number["F146"] == int(np.ceil(3 * 1440 / 12.1))
    assert number["F087"] == number["F213"] == 12
    starts = [e.start_mjd_utc for e in plan if e.optical_element == "F146"]
    np.testing.assert_allclose(np.diff(starts) * 1440, 12.1, atol=1e-6)
    assert [e.index for e in plan] == list(range(len(plan)))
    assert all(np.diff([e.start_mjd_utc for e in plan]) > 0)


def test_names_are_unique_and_follow_the_convention() -> None:
    plan = plan_exposures(SURVEY)
    names = {e.filename("WFI07") for e in plan}
    assert len(names) == len(plan)
    assert all(re.fullmatch(r"r\d{19}_\d{4}_wfi07_f\d{3}_cal\.asdf", name) for name in names)


def test_a_visit_is_a_run_of_exposures_in_one_filter() -> None:
    visits: dict[str, list] = {}
    for exposure in plan_exposures(SURVEY):
        visits.setdefault(exposure.identifiers.visit_id, []).append(exposure)
    for exposures in visits.values():
        assert len({e.optical_element for e in exposures}) == 1
        assert [e.identifiers.exposure for e in exposures] == list(range(1, len(exposures) + 1))
        assert {e.visit_start_mjd_utc for e in exposures} == {exposures[0].start_mjd_utc}
        assert tuple(e.offset for e in exposures) == exposures[0].visit_offsets


def test_dithers_go_on_from_day_to_day() -> None:
    """Twice a day, one after the other takes the next offset, so that each is taken in turn."""
    twice = replace(SURVEY.cadences[0], interval_minutes=720.0)
    plan = plan_exposures(replace(SURVEY, cadences=(twice,), duration_days=9.0))
    assert [e.offset for e in plan] == [*SURVEY.dither_offsets, *SURVEY.dither_offsets]


def test_times_are_those_of_the_reads() -> None:
    first = plan_exposures(SURVEY)[0]
    assert (first.end_time - first.start_time).sec == pytest.approx(21 * 3.16247, abs=1e-6)
    assert (first.mid_time - first.start_time).sec == pytest.approx(21 * 3.16247 / 2, abs=1e-6)
    assert first.start_time.isot == "2027-03-01T00:00:00.000"


@settings(deadline=None)
@given(
    numbers=st.tuples(
        st.integers(1, 18445), st.integers(1, 99), *([st.integers(1, 999)] * 4), st.integers(1, 9999)
    )
)
def test_identifiers_can_be_read_back(numbers: tuple[int, ...]) -> None:
    names = Identifiers(*numbers)
    assert len(names.visit_id) == 19
    assert len(names.observation_id) == 28
    widths = (5, 2, 3, 3, 3, 3)
    ends = np.cumsum(widths)
    parts = [int(names.visit_id[end - width : end]) for end, width in zip(ends, widths, strict=True)]
    assert tuple(parts) == numbers[:6]


@pytest.mark.parametrize("numbers", [(0, 1, 1, 1, 1, 1, 1), (1, 1, 1000, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1, 0)])
def test_identifiers_out_of_range_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be between 1 and"):
        Identifiers(*numbers)


@pytest.mark.parametrize("minutes", [0.0, 1.1])
def test_colliding_exposures_are_refused(minutes: float) -> None:
    cadences = tuple(replace(c, offset_minutes=k * minutes) for k, c in enumerate(SURVEY.cadences))
    with pytest.raises(ValueError, match="collide"):
        plan_exposures(replace(SURVEY, cadences=cadences))


def test_another_survey_is_only_other_numbers() -> None:
    only = replace(SURVEY.cadences[0], interval_minutes=15.0)
    plan = plan_exposures(replace(SURVEY, cadences=(only,), duration_days=0.5))
    assert len(plan) == 48
