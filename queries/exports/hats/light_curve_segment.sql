-- Segments of current light curves: fluxes of an object in the exposures of a block, and flags as runs.
-- Grain: object and block
-- Reads: roman.light_curve_segment, roman.light_curve_block
-- Parameters:
--   kind: kind of photometry
SELECT s.object_id, s.block_id, s.flux, s.flux_err, s.flag_run
FROM roman.light_curve_segment s
JOIN roman.light_curve_block b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
WHERE b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
