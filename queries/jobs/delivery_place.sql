-- Parts of the survey of which a delivery has products of one detector.
-- Grain: field, detector and optical element of which there are exposures in the days.
-- Reads: roman.exposure, roman.field.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout
--   start_mjd: first day
--   end_mjd: first day after
SELECT DISTINCT f.name AS field, e.detector, e.optical_element AS element
FROM roman.exposure AS e
JOIN roman.field AS f USING (field_id)
WHERE
    f.survey = CAST(:survey AS text)
    AND e.day_mjd >= CAST(:start_mjd AS integer) AND e.day_mjd < CAST(:end_mjd AS integer)
ORDER BY f.name, e.detector, e.optical_element
