-- Current blocks with an exposure whose file was replaced after they were measured: to be photometered again.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
SELECT b.block_id, b.start_mjd, b.photometry_kind, x.exposure_id, f.filename,
       e.file_id AS measured_file_id, x.file_id AS current_file_id
FROM roman.light_curve_block AS b
CROSS JOIN LATERAL unnest(b.exposure_id, b.file_id) AS e (exposure_id, file_id)
JOIN roman.exposure AS x ON x.exposure_id = e.exposure_id
JOIN ops.input_file AS f ON f.file_id = x.file_id
WHERE b.superseded_at IS NULL AND b.start_mjd >= CAST(:from_mjd AS integer)
  AND (e.file_id IS DISTINCT FROM x.file_id OR f.superseded_at IS NOT NULL);
