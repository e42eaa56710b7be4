-- Count images that are in no light curve as the file that they have now; one of another file is to be measured again.
-- Grain: one row.
-- Reads: roman.exposure, roman.field, roman.optical_element, roman.light_curve_block.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout
--   start_mjd: first day
--   end_mjd: first day after
WITH measured AS (
    SELECT
        unnest(exposure_id) AS exposure_id,
        unnest(file_id) AS file_id
    FROM roman.light_curve_block
    WHERE
        superseded_at IS NULL AND photometry_kind = 'psf'
        AND end_mjd > CAST(:start_mjd AS integer) AND start_mjd < CAST(:end_mjd AS integer)
)
SELECT count(*) AS n_exposure
FROM roman.exposure AS e
JOIN roman.field AS f USING (field_id)
JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
WHERE
    f.survey = CAST(:survey AS text)
    AND e.day_mjd >= CAST(:start_mjd AS integer) AND e.day_mjd < CAST(:end_mjd AS integer)
    AND NOT EXISTS (
        SELECT FROM measured AS m
        WHERE m.exposure_id = e.exposure_id AND coalesce(m.file_id, e.file_id) = e.file_id
    )
