-- One exposure of one detector.
-- Grain: one row, none where there is no such exposure
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT e.exposure_id, e.visit_id, e.exposure, e.detector, e.optical_element, f.name AS field, e.ra, e.dec,
       e.midpoint_mjd_tdb, e.midpoint_bjd_tdb, e.exposure_time, e.exposure_start_time, e.fraction_usable,
       e.fraction_saturated, e.median_background, e.background_noise, e.filename, e.ma_table_name, e.pa_aperture
FROM roman.exposure AS e LEFT JOIN roman.field AS f USING (field_id)
WHERE e.exposure_id = CAST(:exposure_id AS bigint);
