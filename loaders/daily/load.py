"""What the mode ``daily`` can be restricted to, and what a run of it says of itself when it is done."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from roman_db import session
from roman_db.rejected_inputs import RejectedInputs, rejected_inputs

_METRICS = """
SELECT metric, count(*) AS n, min(value) AS least, max(value) AS largest,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
       count(*) FILTER (WHERE verdict = 'warning') AS n_warning,
       count(*) FILTER (WHERE verdict = 'failure') AS n_failure,
       count(*) FILTER (WHERE verdict = 'unlimited') AS n_unlimited
FROM ops.quality_metric WHERE load_run_id = CAST(:load_run_id AS bigint) GROUP BY metric ORDER BY metric
"""

_BLOCKS = """
SELECT count(*) AS n_block, coalesce(sum(n_epoch), 0) AS n_exposure,
       coalesce(sum(n_point), 0) AS n_point
FROM roman.light_curve_block WHERE load_run_id = CAST(:load_run_id AS bigint)
"""


_CHOICES = """
SELECT (SELECT array_agg(detector ORDER BY detector) FROM roman.detector) AS detectors,
       (SELECT array_agg(optical_element ORDER BY optical_element) FROM roman.optical_element
        WHERE kind = 'imaging') AS optical_elements,
       (SELECT min(day_mjd) FROM roman.exposure) AS first_day,
       (SELECT max(day_mjd) FROM roman.exposure) AS last_day
"""


@dataclass(frozen=True)
class Choices:
    """What a run can be restricted to; the days (MJD TDB) are those of loaded exposures, None without any."""

    detectors: list[str] | None
    optical_elements: list[str] | None
    first_day: int | None
    last_day: int | None


def read_choices() -> Choices:
    """Read what a run can be restricted to."""
    with session.reading() as connection:
        return Choices(**connection.execute(sa.text(_CHOICES)).one()._asdict())


@dataclass(frozen=True)
class MetricSummary:
    """One quality metric over a run: how often measured, outside its limits, and without limits."""

    metric: str
    n: int
    least: float | None
    largest: float | None
    median: float | None
    n_warning: int
    n_failure: int
    n_unlimited: int


@dataclass(frozen=True)
class DailySummary:
    """Blocks written by a run, inputs that it had to refuse, and the quality of what is in the blocks."""

    n_block: int
    n_exposure: int
    n_point: int
    rejected: RejectedInputs
    metrics: tuple[MetricSummary, ...]


def summarise_run(load_run_id: int) -> DailySummary:
    """Read what a run wrote and how good it is."""
    with session.reading() as connection:
        blocks = connection.execute(sa.text(_BLOCKS), {"load_run_id": load_run_id}).one()
        rows = connection.execute(sa.text(_METRICS), {"load_run_id": load_run_id}).all()
    metrics = tuple(MetricSummary(**row._asdict()) for row in rows)
    return DailySummary(**blocks._asdict(), rejected=rejected_inputs(load_run_id), metrics=metrics)
