-- List blocks of light curves of others that hold points of several seasons, or stand elsewhere than their season.
-- Grain: one row a block.
-- Reads: roman.light_curve_block, roman.season.
-- Writes: nothing.
SELECT b.block_id FROM roman.light_curve_block AS b
WHERE b.photometry_kind = 'external' AND b.superseded_at IS NULL AND EXISTS (
    SELECT FROM roman.season AS s CROSS JOIN LATERAL (VALUES (s.start_mjd), (s.end_mjd)) AS e (day_mjd)
    WHERE e.day_mjd > b.start_mjd AND e.day_mjd <= b.midpoint_mjd_tdb[b.n_epoch])
ORDER BY b.block_id
