"""What a run of the modes made, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from roman_db import session

_MADE = """
SELECT f.name AS field, r.detector, r.optical_element, r.start_mjd, r.end_mjd, r.n_exposure, r.n_refused,
       r.limiting_mag, r.psf_model_id IS NULL AS is_optical,
       count(s.object_id) FILTER (WHERE s.state = 'new') AS n_new,
       count(s.object_id) FILTER (WHERE s.state = 'known') AS n_known,
       count(s.object_id) FILTER (WHERE s.state = 'merged') AS n_merged,
       count(s.object_id) FILTER (WHERE s.state = 'missing') AS n_missing,
       (SELECT d.n_source FROM roman.difference_image d
        WHERE d.minuend_reference_image_id = r.reference_image_id AND d.superseded_at IS NULL) AS n_changed
FROM roman.reference_image r JOIN roman.field f USING (field_id)
LEFT JOIN roman.reference_source s USING (reference_image_id)
WHERE r.load_run_id = CAST(:load_run_id AS bigint) AND r.superseded_at IS NULL
GROUP BY r.reference_image_id, f.name ORDER BY r.start_mjd, f.name, r.detector, r.optical_element
"""


def summarise_references(load_run_id: int) -> Iterator[str]:
    """Say of each reference image that a run made what is on it."""
    with session.reading() as connection:
        rows = connection.execute(sa.text(_MADE), {"load_run_id": load_run_id}).all()
    for row in rows:
        psf = "the optics" if row.is_optical else "its stars"
        changed = "" if row.n_changed is None else f", {row.n_changed} sources changed since the one before"
        yield (
            f"Reference {row.field} {row.detector} {row.optical_element} {row.start_mjd} to {row.end_mjd}: "
            f"{row.n_exposure} exposures ({row.n_refused} refused), PSF of {psf}, "
            f"to {row.limiting_mag:.2f} mag; {row.n_new:,} objects new, {row.n_known:,} known, "
            f"{row.n_merged} merged, {row.n_missing} missing{changed}."
        )
