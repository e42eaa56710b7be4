-- Rows of the light-curve tables whose block is not there: their points have no times.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
WITH keys AS (
    SELECT 'light_curve_segment' AS stored_in, block_id, start_mjd FROM roman.light_curve_segment
    UNION ALL
    SELECT 'astrometry_segment', block_id, start_mjd FROM roman.astrometry_segment
    UNION ALL
    SELECT 'shape_segment', block_id, start_mjd FROM roman.shape_segment
    UNION ALL
    SELECT 'light_curve_summary', block_id, start_mjd FROM roman.light_curve_summary
)
SELECT k.stored_in, k.block_id, k.start_mjd, count(*) AS n_row
FROM keys AS k
LEFT JOIN roman.light_curve_block AS b ON b.block_id = k.block_id AND b.start_mjd = k.start_mjd
WHERE k.start_mjd >= CAST(:from_mjd AS integer) AND b.block_id IS NULL
GROUP BY k.stored_in, k.block_id, k.start_mjd;
