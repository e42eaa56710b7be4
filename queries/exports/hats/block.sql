-- Exposures of blocks of light curves.
-- Grain: block, in the order of its days
-- Reads: roman.light_curve_block
-- Parameters:
--   blocks: identifiers of blocks, as an array
SELECT block_id, start_mjd, optical_element, exposure_id, midpoint_mjd_tdb, midpoint_bjd_tdb
FROM roman.light_curve_block
WHERE block_id = ANY(CAST(:blocks AS bigint[]))
ORDER BY start_mjd, block_id
