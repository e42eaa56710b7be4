"""The cadences of a survey layout as a simulation needs them: without collisions, with reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from loaders.simulation.parameters import Cadence, MultiAccumTable, SimulationParameters, SurveyParameters

#: Number of resultants of a table that is made up for an exposure time.
_RESULTANTS = 6

#: Number from which made-up tables are numbered; those of the parameters are below it.
_FIRST_NUMBER = 900


@dataclass(frozen=True)
class PlannedCadence:
    """How often a survey visits a field in an optical element (minutes), and for how long (s)."""

    optical_element: str
    interval_minutes: float
    exposure_time: float


def with_cadences(
    parameters: SimulationParameters, planned: Sequence[PlannedCadence]
) -> SimulationParameters:
    """Parameters with the cadences of a survey in place of their own.

    The most frequent element keeps its interval. The others take turns in the gaps between its exposures, so
    that theirs become the nearest multiples of it. An exposure time has the multi-accumulation table of the
    parameters that is as long, to a frame, or else one that is made up.

    Raises
    ------
    ValueError
        If there is no cadence.
    """
    if not planned:
        raise ValueError("a survey needs at least one cadence")
    ordered = sorted(planned, key=lambda one: (one.interval_minutes, one.optical_element))
    base = ordered[0].interval_minutes
    survey, cadences = parameters.survey, []
    for number, one in enumerate(ordered):
        table = _table_for(survey, one.exposure_time)
        if table not in survey.ma_tables:
            survey = replace(survey, ma_tables=(*survey.ma_tables, table))
        interval = base * max(1, round(one.interval_minutes / base))
        cadences.append(Cadence(one.optical_element, interval, base * number / len(ordered), table.name))
    return replace(parameters, survey=replace(survey, cadences=tuple(cadences)))


def _table_for(survey: SurveyParameters, exposure_time: float) -> MultiAccumTable:
    """Multi-accumulation table of an exposure time (s)."""
    for table in survey.ma_tables:
        if abs(table.exposure_time - exposure_time) <= table.frame_time:
            return table
    first = survey.ma_tables[0]
    number = _FIRST_NUMBER + len(survey.ma_tables)
    reads = max(2, round(exposure_time / first.frame_time))
    return MultiAccumTable(
        f"SIM_{exposure_time:g}", f"SIM{number:04d}", number, first.frame_time, _read_pattern(reads)
    )


def _read_pattern(n_read: int) -> tuple[tuple[int, ...], ...]:
    """Reads averaged into resultants: the first alone, for bright stars, and the others evenly."""
    later = np.array_split(np.arange(2, n_read + 1), min(_RESULTANTS - 1, n_read - 1))
    return ((1,), *(tuple(int(read) for read in reads) for reads in later))
