-- Find where the telescope was and how it moved in some exposures, by their files.
-- Grain: one row an exposure, in the order given; empty where the file does not say, or is not to be believed.
-- Reads: roman.exposure.
-- Writes: nothing.
-- Parameters:
--   exposure_id: exposures, an array in the notation of PostgreSQL
SELECT
    x.ephemeris_time, x.spatial_x, x.spatial_y, x.spatial_z, x.velocity_x, x.velocity_y, x.velocity_z
FROM unnest(CAST(:exposure_id AS bigint [])) WITH ORDINALITY AS e (exposure_id, number)
LEFT JOIN roman.exposure AS x
    ON x.exposure_id = e.exposure_id AND x.observatory_source = 'ephemeris'
ORDER BY e.number
