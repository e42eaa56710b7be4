-- Refined light curves that later ones replaced, copied to where compaction puts what it merges, so that they outlive what it replaces.
-- Grain: one row a block that was copied.
-- Reads: roman.light_curve_block, roman.light_curve_segment, roman.light_curve_summary.
-- Writes: the same; a block whose points were copied is merged from then on.
-- Parameters:
--   first: first day of the windows, MJD TDB
--   last: first day after them
--   generation: generation of partitions that takes the copies
--   last_mjd: latest day on which a copy may begin
WITH copied AS MATERIALIZED (
    SELECT
        block_id AS old_id, start_mjd AS old_start, ops.new_light_curve_block_id(CAST(:generation AS bigint)) AS new_id,
        least(start_mjd, CAST(:last_mjd AS integer)) AS new_start
    FROM roman.light_curve_block
    WHERE
        photometry_kind = 'refined' AND superseded_at IS NOT NULL AND NOT is_merged
        AND start_mjd >= CAST(:first AS integer) AND start_mjd < CAST(:last AS integer)
), block AS (
    INSERT INTO roman.light_curve_block (
        block_id, start_mjd, is_merged,
        photometry_kind, field_id, detector, optical_element, end_mjd, n_epoch, exposure_id, file_id,
        psf_model_id, midpoint_mjd_tdb, midpoint_bjd_tdb, n_object, n_point, catalog_version_id,
        superseded_at, load_run_id
    )
    SELECT
        c.new_id, c.new_start, false,
        b.photometry_kind, b.field_id, b.detector, b.optical_element, b.end_mjd, b.n_epoch, b.exposure_id,
        b.file_id, b.psf_model_id, b.midpoint_mjd_tdb, b.midpoint_bjd_tdb, b.n_object, b.n_point,
        b.catalog_version_id, b.superseded_at, b.load_run_id
    FROM copied AS c JOIN roman.light_curve_block AS b ON b.block_id = c.old_id
), segment AS (
    INSERT INTO roman.light_curve_segment (object_id, block_id, start_mjd, flux, flux_err, flag_run)
    SELECT s.object_id, c.new_id, c.new_start, s.flux, s.flux_err, s.flag_run
    FROM copied AS c JOIN roman.light_curve_segment AS s ON s.block_id = c.old_id AND s.start_mjd = c.old_start
    WHERE s.start_mjd >= CAST(:first AS integer) AND s.start_mjd < CAST(:last AS integer)
), summary AS (
    INSERT INTO roman.light_curve_summary (
        object_id, block_id, start_mjd,
        n_point, n_flagged, sum_weight, mean_flux, weighted_m2, unweighted_mean, unweighted_m2,
        unweighted_m3, unweighted_m4, min_flux, max_flux, first_flux, last_flux, first_mjd_tdb,
        last_mjd_tdb, sum_squared_difference, reference_flux, longest_run, leading_run, trailing_run,
        mean_reduced_chi2, mean_crowding, mean_background
    )
    SELECT
        s.object_id, c.new_id, c.new_start,
        s.n_point, s.n_flagged, s.sum_weight, s.mean_flux, s.weighted_m2, s.unweighted_mean,
        s.unweighted_m2, s.unweighted_m3, s.unweighted_m4, s.min_flux, s.max_flux, s.first_flux,
        s.last_flux, s.first_mjd_tdb, s.last_mjd_tdb, s.sum_squared_difference, s.reference_flux,
        s.longest_run, s.leading_run, s.trailing_run, s.mean_reduced_chi2, s.mean_crowding,
        s.mean_background
    FROM copied AS c JOIN roman.light_curve_summary AS s ON s.block_id = c.old_id AND s.start_mjd = c.old_start
    WHERE s.start_mjd >= CAST(:first AS integer) AND s.start_mjd < CAST(:last AS integer)
)
UPDATE roman.light_curve_block AS b SET is_merged = true FROM copied AS c WHERE b.block_id = c.old_id
RETURNING b.block_id;
