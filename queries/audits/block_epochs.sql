-- Blocks whose arrays differ in length from n_epoch, are out of order, or hold times outside their days.
-- Parameters:
--   from_mjd = 0: first day to look at, MJD TDB
SELECT block_id, start_mjd, end_mjd, n_epoch, cardinality(exposure_id) AS n_exposure,
       cardinality(file_id) AS n_file, cardinality(psf_model_id) AS n_psf, cardinality(midpoint_mjd_tdb) AS n_mjd, cardinality(midpoint_bjd_tdb) AS n_bjd
FROM roman.light_curve_block
WHERE start_mjd >= CAST(:from_mjd AS integer)
  AND (
      cardinality(exposure_id) <> n_epoch OR cardinality(file_id) <> n_epoch OR cardinality(psf_model_id) <> n_epoch
      OR cardinality(midpoint_mjd_tdb) <> n_epoch
      OR cardinality(midpoint_bjd_tdb) <> n_epoch
      OR midpoint_mjd_tdb <> ARRAY(SELECT t FROM unnest(midpoint_mjd_tdb) AS t ORDER BY t)
      OR NOT midpoint_mjd_tdb[1] >= start_mjd OR NOT midpoint_mjd_tdb[n_epoch] < end_mjd
  );
