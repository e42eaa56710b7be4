-- Current blocks with fewer segments or summaries than objects when they were written: points are lost.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
WITH segment AS (
    SELECT block_id, count(*) AS n FROM roman.light_curve_segment
    WHERE start_mjd >= CAST(:from_mjd AS integer) GROUP BY block_id
), summary AS (
    SELECT block_id, count(*) AS n FROM roman.light_curve_summary
    WHERE start_mjd >= CAST(:from_mjd AS integer) GROUP BY block_id
)
SELECT b.block_id, b.start_mjd, b.detector, b.optical_element, b.n_object,
       coalesce(segment.n, 0) AS n_segment, coalesce(summary.n, 0) AS n_summary
FROM roman.light_curve_block AS b
LEFT JOIN segment ON segment.block_id = b.block_id
LEFT JOIN summary ON summary.block_id = b.block_id
WHERE b.superseded_at IS NULL AND b.start_mjd >= CAST(:from_mjd AS integer)
  AND (coalesce(segment.n, 0) < b.n_object OR coalesce(summary.n, 0) <> coalesce(segment.n, 0));
