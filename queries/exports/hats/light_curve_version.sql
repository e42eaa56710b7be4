-- What tells one state of a light curve from another: its segments, which never change, and their exposures.
-- Grain: object and block
-- Reads: roman.light_curve_segment, roman.light_curve_block
-- Parameters:
--   kind: kind of photometry
SELECT s.object_id, s.block_id, b.n_epoch
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
WHERE b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
