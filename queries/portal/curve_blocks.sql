-- Light curves of one object and kind of photometry as arrays.
-- Grain: one row a block
-- Parameters:
--   object_id: identifier of the object
--   photometry_kind: as in roman.light_curve_block
SELECT b.optical_element, b.exposure_id, b.midpoint_bjd_tdb, s.flux, s.flux_err,
       coalesce(roman.expand_flag_run(s.flag_run, b.n_epoch), array_fill(0, ARRAY[b.n_epoch])) AS flags
FROM roman.light_curve_segment AS s
JOIN roman.light_curve_block AS b
    ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
WHERE s.object_id = CAST(:object_id AS bigint) AND b.photometry_kind = CAST(:photometry_kind AS text)
ORDER BY b.optical_element, b.start_mjd, b.block_id;
