-- Parts of the survey of which a delivery has products of one detector.
-- Grain: field, detector and optical element of which there are images in the days; is_frequent says whether the element
-- is observed at least hourly, so that there are reference images of eight days.
-- Reads: roman.exposure, roman.field, roman.optical_element, roman.cadence.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout
--   start_mjd: first day
--   end_mjd: first day after
SELECT DISTINCT
    f.name AS field, e.detector, e.optical_element AS element,
    EXISTS (
        SELECT FROM roman.cadence AS c
        WHERE c.survey = f.survey AND c.optical_element = e.optical_element AND c.interval_minutes <= 60
    ) AS is_frequent
FROM roman.exposure AS e
JOIN roman.field AS f USING (field_id)
JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
WHERE
    f.survey = CAST(:survey AS text)
    AND e.day_mjd >= CAST(:start_mjd AS integer) AND e.day_mjd < CAST(:end_mjd AS integer)
ORDER BY f.name, e.detector, e.optical_element
