-- Find the exposures of detectors in the seasons of a survey.
-- Grain: one row a field, detector, season and optical element.
-- Reads: roman.exposure, roman.season.
-- Writes: nothing.
-- Parameters:
--   survey: survey whose seasons count
--   field_id: fields, as an array
--   detector: the detector of each of them, as an array
--   to_mjd: first day that is left out
-- Note: exposures are in order of time.
SELECT
    e.field_id, e.detector, e.optical_element, n.season, n.start_mjd, n.end_mjd,
    array_agg(e.exposure_id ORDER BY e.midpoint_mjd_tdb, e.exposure_id) AS exposure_id
FROM unnest(CAST(:field_id AS integer []), CAST(:detector AS text [])) AS p (field_id, detector)
JOIN roman.exposure AS e ON e.field_id = p.field_id AND e.detector = p.detector
JOIN roman.season AS n ON
    n.survey = CAST(:survey AS text) AND e.midpoint_mjd_tdb >= n.start_mjd AND e.midpoint_mjd_tdb < n.end_mjd
WHERE e.day_mjd < CAST(:to_mjd AS integer)
GROUP BY e.field_id, e.detector, e.optical_element, n.season, n.start_mjd, n.end_mjd
ORDER BY e.field_id, e.detector, n.season, e.optical_element
