"""The mode ``daily`` as a list of tasks, and what it says of itself when it is done."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from loaders.photometry.load import pending_units, photometer_unit
from loaders.psf.load import build_unit, units_without_psf
from roman_db import session
from roman_db.jobs import Mode, Task

DAILY = Mode(
    "daily",
    "Update the PSF, photometer every catalogued object in every new exposure, write the light curves",
    (
        Task("psf", "Build the PSF of each detector, optical element and day", units_without_psf, build_unit),
        Task("photometer", "Photometer the exposures and store blocks", pending_units, photometer_unit),
    ),
)

_METRICS = """
SELECT metric, count(*) AS n, min(value) AS least, max(value) AS largest,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
       count(*) FILTER (WHERE verdict = 'warning') AS n_warning,
       count(*) FILTER (WHERE verdict = 'failure') AS n_failure
FROM ops.quality_metric WHERE load_run_id = CAST(:load_run_id AS bigint) GROUP BY metric ORDER BY metric
"""

_BLOCKS = """
SELECT count(*) AS n_block, coalesce(sum(n_epoch), 0) AS n_exposure,
       coalesce(sum(n_epoch::bigint * n_object), 0) AS n_point,
       (SELECT n_rejected FROM ops.load_run WHERE load_run_id = CAST(:load_run_id AS bigint)) AS n_rejected
FROM roman.light_curve_block WHERE load_run_id = CAST(:load_run_id AS bigint)
"""


@dataclass(frozen=True)
class MetricSummary:
    """One quality metric over a run: how often measured, and how often outside its limits."""

    metric: str
    n: int
    least: float | None
    largest: float | None
    median: float | None
    n_warning: int
    n_failure: int


@dataclass(frozen=True)
class DailySummary:
    """Blocks written by a run, exposures that it had to refuse, and the quality of what is in the blocks."""

    n_block: int
    n_exposure: int
    n_point: int
    n_rejected: int
    metrics: tuple[MetricSummary, ...]


def summarise_run(load_run_id: int) -> DailySummary:
    """Read what a run wrote and how good it is."""
    with session.reading() as connection:
        blocks = connection.execute(sa.text(_BLOCKS), {"load_run_id": load_run_id}).one()
        rows = connection.execute(sa.text(_METRICS), {"load_run_id": load_run_id}).all()
    metrics = tuple(MetricSummary(**row._asdict()) for row in rows)
    return DailySummary(**blocks._asdict(), metrics=metrics)
