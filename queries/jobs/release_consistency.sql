-- What a data release would be made of: with which versions its images were calibrated and measured, and how many
-- of them are in no light curve as the file that they have now.
-- Grain: one row.
-- Reads: roman.exposure, roman.field, roman.season, roman.optical_element, roman.light_curve_block, ops.load_run.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
WITH chosen AS (
    SELECT f.field_id, s.start_mjd, s.end_mjd
    FROM roman.field AS f
    JOIN roman.season AS s USING (survey)
    WHERE survey = CAST(:survey AS text) AND CAST(:season AS smallint) IN (0, s.season)
), exposed AS (
    SELECT e.*
    FROM roman.exposure AS e
    JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
    JOIN chosen AS c ON c.field_id = e.field_id AND e.day_mjd >= c.start_mjd AND e.day_mjd < c.end_mjd
), block AS (
    SELECT b.*
    FROM roman.light_curve_block AS b
    JOIN chosen AS c ON c.field_id = b.field_id AND b.start_mjd >= c.start_mjd AND b.start_mjd < c.end_mjd
    WHERE b.superseded_at IS NULL
), measured AS (
    SELECT unnest(exposure_id) AS exposure_id, unnest(file_id) AS file_id
    FROM block WHERE photometry_kind = 'psf'
)
SELECT
    (SELECT count(*) FROM exposed) AS n_exposure,
    (
        SELECT count(*) FROM exposed AS e
        WHERE NOT EXISTS (
            SELECT FROM measured AS m
            WHERE m.exposure_id = e.exposure_id AND coalesce(m.file_id, e.file_id) = e.file_id
        )
    ) AS n_unmeasured,
    (
        SELECT array_agg(DISTINCT v.version) FILTER (WHERE v.version <> '')
        FROM exposed
        CROSS JOIN LATERAL (
            SELECT concat_ws(' ', calibration_software_name, calibration_software_version, crds_context)
        ) AS v (version)
    ) AS calibration,
    (SELECT array_agg(DISTINCT r.code_version) FROM block JOIN ops.load_run AS r USING (load_run_id)) AS photometry
