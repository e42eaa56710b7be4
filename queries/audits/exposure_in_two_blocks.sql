-- Exposures that stand in more than one current block of a kind: their points count twice.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
SELECT e.exposure_id, b.photometry_kind, array_agg(b.block_id ORDER BY b.block_id) AS block_ids
FROM roman.light_curve_block AS b
CROSS JOIN LATERAL unnest(b.exposure_id) AS e (exposure_id)
WHERE b.superseded_at IS NULL AND b.start_mjd >= CAST(:from_mjd AS integer)
GROUP BY e.exposure_id, b.photometry_kind
HAVING count(*) > 1;
