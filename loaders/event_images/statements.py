"""What is asked of the database for events in images."""

from __future__ import annotations

REFERENCE = """
SELECT i.injection_run_id FROM roman.injection_run i WHERE i.name = CAST(:name AS text)
  AND i.inject_medium = 'lightcurve'
"""

EVENTS = """
SELECT e.*, r.load_run_id AS searched_by, EXISTS (
           SELECT FROM roman.injected_event u
           WHERE u.injection_run_id = e.injection_run_id AND u.kind = 'untouched'
             AND u.injected_event_id = e.injected_event_id + 1
       ) AS is_first
FROM roman.injected_event e JOIN roman.event_recovery r USING (injection_run_id, injected_event_id)
WHERE e.injection_run_id = CAST(:reference AS bigint) AND e.kind IN ('point_lens', 'planet')
  AND e.einstein_time IS NOT NULL
  AND e.injected_event_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
  AND (CAST(:detector AS text) IS NULL OR EXISTS (
      SELECT FROM roman.light_curve_summary s
      JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
      WHERE s.object_id = e.object_id AND b.superseded_at IS NULL AND b.detector = CAST(:detector AS text)
        AND b.photometry_kind = :photometry_kind AND s.start_mjd >= :from_mjd AND s.start_mjd < :to_mjd))
ORDER BY e.injected_event_id LIMIT CAST(:number AS bigint)
"""

#: Exposures of the blocks that hold some objects, by day: whatever blocks are merged, units are the same.
EXPOSURES = """
WITH mine AS (
    SELECT DISTINCT s.block_id, s.start_mjd FROM roman.light_curve_summary s
    WHERE s.object_id = ANY(CAST(:objects AS bigint[])) AND s.start_mjd >= :from_mjd AND s.start_mjd < :to_mjd
)
SELECT b.field_id, f.name AS field, b.detector, b.optical_element, e.day_mjd,
       array_agg(e.exposure_id ORDER BY e.midpoint_mjd_tdb, e.exposure_id) AS exposure_id
FROM mine JOIN roman.light_curve_block b USING (block_id, start_mjd)
CROSS JOIN LATERAL unnest(b.exposure_id) AS m (one)
JOIN roman.exposure e ON e.exposure_id = m.one JOIN roman.field f ON f.field_id = b.field_id
WHERE b.superseded_at IS NULL AND b.photometry_kind = :photometry_kind
GROUP BY 1, 2, 3, 4, 5 ORDER BY e.day_mjd, 1, 3, 4
"""

MEANS = """
SELECT object_id, mean_flux FROM roman.variability
WHERE season = CAST(:season AS smallint) AND photometry_kind = :photometry_kind
  AND optical_element = :optical_element AND object_id = ANY(CAST(:objects AS bigint[]))
"""

SEGMENTS = """
SELECT injected_event_id, optical_element, exposure_id, flux, flux_err, flags
FROM roman.injected_event_segment
WHERE injection_run_id = CAST(:injection_run_id AS bigint) AND injected_event_id = ANY(CAST(:ids AS bigint[]))
ORDER BY injected_event_id, optical_element, day_mjd, field_id, detector
"""

FOUND_BOTH = "SELECT * FROM roman.event_medium_count WHERE name = ANY(CAST(:names AS text[])) ORDER BY name"

MEASURED = """
SELECT coalesce(max(s.load_run_id), 0) FROM roman.injected_event_segment s
JOIN roman.injection_run i USING (injection_run_id)
WHERE i.name = CAST(:name AS text)
  AND s.injected_event_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
"""
