"""Quality metrics: measured values held against the limits that the database keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from roman_db.bulk import stage_rows

_STAGED = {
    "metric": "text",
    "optical_element": "text",
    "exposure_id": "bigint",
    "block_id": "bigint",
    "psf_model_id": "bigint",
    "reference_image_id": "bigint",
    "calibration_reference_id": "bigint",
    "value": "double precision",
}

_STORE = """
INSERT INTO ops.quality_metric
    (metric, exposure_id, block_id, psf_model_id, reference_image_id, calibration_reference_id, value, lower,
     upper, verdict, load_run_id)
SELECT m.metric, m.exposure_id, m.block_id, m.psf_model_id, m.reference_image_id, m.calibration_reference_id,
    m.value, l.lower, l.upper,
    CASE WHEN l.metric IS NULL THEN 'unlimited'
         WHEN m.value BETWEEN coalesce(l.lower, '-Infinity') AND coalesce(l.upper, 'Infinity') THEN 'good'
         ELSE l.severity END,
    CAST(:load_run_id AS bigint)
FROM pg_temp.measured_metric m
LEFT JOIN LATERAL (
    SELECT * FROM ops.quality_limit q
    WHERE q.metric = m.metric AND q.optical_element IN (m.optical_element, 'any')
    ORDER BY q.optical_element = 'any' LIMIT 1
) l ON true
WHERE {measured}
"""

_REPLACE = """
ON CONFLICT ({key}, metric) DO UPDATE SET
    value = EXCLUDED.value, lower = EXCLUDED.lower, upper = EXCLUDED.upper, verdict = EXCLUDED.verdict,
    measured_at = EXCLUDED.measured_at, load_run_id = EXCLUDED.load_run_id
"""

#: What a metric may be of; what of these is first there is what it replaces a row of.
_KEYS = (
    "exposure_id",
    "block_id",
    "psf_model_id",
    "reference_image_id",
    "calibration_reference_id",
)


def _statements() -> Iterator[str]:
    """What is measured of one of the keys replaces the row before; what belongs to none is added."""
    for number, key in enumerate(_KEYS):
        others = "".join(f"m.{other} IS NULL AND " for other in _KEYS[:number])
        yield _STORE.format(measured=f"{others}m.{key} IS NOT NULL") + _REPLACE.format(key=key)
    yield _STORE.format(measured=" AND ".join(f"m.{key} IS NULL" for key in _KEYS))


@dataclass(frozen=True)
class Metric:
    """One measured value; NaN, stored as NULL, where it could not be measured.

    It belongs to an exposure, a block, a PSF of the library, a reference image or a reference of grism or
    prism, or, where all are None, to the run.
    """

    metric: str
    optical_element: str
    value: float
    exposure_id: int | None = None
    block_id: int | None = None
    psf_model_id: int | None = None
    reference_image_id: int | None = None
    calibration_reference_id: int | None = None


def store_metrics(connection: sa.Connection, load_run_id: int, metrics: Sequence[Metric]) -> None:
    """Store values with the limits in force and the verdict.

    A limit for the optical element beats that for any; a value that could not be measured is not good.
    What was stored before of the same metric of the same exposure, block, PSF, image or reference
    is replaced.
    """
    if not metrics:
        return
    columns = {name: [getattr(metric, name) for metric in metrics] for name in _STAGED}
    stage_rows(connection, "measured_metric", _STAGED, columns)
    for statement in _statements():
        connection.execute(sa.text(statement), {"load_run_id": load_run_id})
