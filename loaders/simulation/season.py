"""The exposures of a survey: when, in which filter, with which offset, under which identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.time import Time, TimeDelta

from loaders.simulation.parameters import Cadence, MultiAccumTable, SurveyParameters

FloatArray = npt.NDArray[np.float64]

_MINUTES_PER_DAY = 1440.0
_SECONDS_PER_DAY = 86400.0
_LARGEST = {
    "program": 18445,
    "execution_plan": 99,
    "pass": 999,
    "segment": 999,
    "observation": 999,
    "visit": 999,
}


@dataclass(frozen=True)
class Identifiers:
    """The numbers that name an exposure (RAD ``meta.observation``)."""

    program: int
    execution_plan: int
    pass_number: int
    segment: int
    observation: int
    visit: int
    exposure: int

    def __post_init__(self) -> None:
        numbers = (
            self.program,
            self.execution_plan,
            self.pass_number,
            self.segment,
            self.observation,
            self.visit,
        )
        for (name, largest), number in zip(_LARGEST.items(), numbers, strict=True):
            if not 1 <= number <= largest:
                raise ValueError(f"{name} must be between 1 and {largest}, got {number}")
        if not 1 <= self.exposure <= 9999:
            raise ValueError(f"exposure must be between 1 and 9999, got {self.exposure}")

    @property
    def visit_id(self) -> str:
        """Nineteen digits, PPPPPCCAAASSSOOOVVV."""
        return (
            f"{self.program:05d}{self.execution_plan:02d}{self.pass_number:03d}"
            f"{self.segment:03d}{self.observation:03d}{self.visit:03d}"
        )

    @property
    def observation_id(self) -> str:
        """The visit, its file group (02), sequence (1) and activity (01), and the exposure."""
        return f"{self.visit_id}02101{self.exposure:04d}"


@dataclass(frozen=True)
class PlannedExposure:
    """One exposure of the plan.

    Parameters
    ----------
    index
        Position in the plan, from 0.
    identifiers
        Its names.
    optical_element, ma_table
        Filter and reads.
    start_mjd_utc, visit_start_mjd_utc
        Start of the exposure and of its visit, MJD (UTC).
    offset
        Dither (x, y) in arcsec in the ideal frame.
    visit_offsets
        Dithers of all exposures of the visit.
    """

    index: int
    identifiers: Identifiers
    optical_element: str
    ma_table: MultiAccumTable
    start_mjd_utc: float
    visit_start_mjd_utc: float
    offset: tuple[float, float]
    visit_offsets: tuple[tuple[float, float], ...]

    @property
    def start_time(self) -> Time:
        """Start of the exposure."""
        return _utc(self.start_mjd_utc)

    @property
    def mid_time(self) -> Time:
        """Middle of the exposure."""
        return self.start_time + TimeDelta(self.ma_table.exposure_time / 2, format="sec")

    @property
    def end_time(self) -> Time:
        """End of the exposure."""
        return self.start_time + TimeDelta(self.ma_table.exposure_time, format="sec")

    @property
    def visit_start_time(self) -> Time:
        """Start of the visit."""
        return _utc(self.visit_start_mjd_utc)

    def filename(self, detector: str) -> str:
        """Name of the Level-2 file of a detector, by Roman's convention."""
        exposure = f"r{self.identifiers.visit_id}_{self.identifiers.exposure:04d}"
        return f"{exposure}_{detector.lower()}_{self.optical_element.lower()}_cal.asdf"


def plan_exposures(survey: SurveyParameters) -> tuple[PlannedExposure, ...]:
    """List all exposures of a survey in the order of their times.

    A pass is a day from the start of the survey, an observation one filter, a visit a run of exposures of one
    filter and day.

    Raises
    ------
    ValueError
        If two exposures overlap in time, or identifiers run out.
    """
    rows = [row for number, c in enumerate(survey.cadences, 1) for row in _one_filter(survey, c, number)]
    rows.sort(key=lambda row: row[0])
    _check_overlap(rows, survey)
    return tuple(
        PlannedExposure(
            index, identifiers, c.optical_element, survey.ma_table(c.ma_table), start, first, *dither
        )
        for index, (start, first, identifiers, c, dither) in enumerate(rows)
    )


_Dither = tuple[tuple[float, float], tuple[tuple[float, float], ...]]
_Row = tuple[float, float, Identifiers, Cadence, _Dither]


def _one_filter(survey: SurveyParameters, cadence: Cadence, observation: int) -> Iterator[_Row]:
    """Exposures of one filter: start, start of the visit, names, cadence, dithers."""
    begin = float(Time(survey.start_time, scale="utc").mjd)
    step = cadence.interval_minutes / _MINUTES_PER_DAY
    offset = cadence.offset_minutes / _MINUTES_PER_DAY
    elapsed = offset + step * np.arange(max(0, int(np.ceil((survey.duration_days - offset) / step))))
    day = np.floor(elapsed).astype(int)
    for today, before in zip(*np.unique(day, return_index=True), strict=True):
        times = elapsed[day == today]
        for visit, at in enumerate(range(0, times.size, survey.exposures_per_visit), 1):
            group = times[at : at + survey.exposures_per_visit]
            # The pattern goes on from day to day: an element that is observed once a day is dithered, too.
            number = before + at + np.arange(group.size)
            offsets = tuple(survey.dither_offsets[k % len(survey.dither_offsets)] for k in number)
            for k, time in enumerate(group):
                names = Identifiers(
                    survey.program,
                    survey.execution_plan,
                    int(today) + 1,
                    survey.segment,
                    observation,
                    visit,
                    k + 1,
                )
                yield begin + float(time), begin + float(group[0]), names, cadence, (offsets[k], offsets)


def _check_overlap(rows: list[_Row], survey: SurveyParameters) -> None:
    """Raise if an exposure starts before the one before it has ended."""
    starts = np.array([row[0] for row in rows])
    ends = starts + [survey.ma_table(row[3].ma_table).exposure_time / _SECONDS_PER_DAY for row in rows]
    close = np.flatnonzero(starts[1:] < ends[:-1])
    if close.size:
        first, second = (rows[close[0] + k][3].optical_element for k in (0, 1))
        raise ValueError(f"exposures in {first} and {second} collide at MJD {starts[close[0]]:.5f} (UTC)")


def _utc(mjd: float) -> Time:
    return Time(mjd, format="mjd", scale="utc", precision=3)
