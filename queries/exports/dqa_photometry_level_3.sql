-- Quality of each exposure of a field on a detector in an optical element in a period of eight days, with its limits.
-- Grain: metric of an exposure
-- Reads: roman.field, roman.season, roman.exposure, ops.quality_metric
-- Parameters:
--   season: season of the survey, from 1
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   sequence: period of eight days of the season, from 1
WITH scope AS (
    SELECT f.field_id, s.start_mjd + 8 * (CAST(:sequence AS integer) - 1) AS start_mjd,
           least(s.end_mjd, s.start_mjd + 8 * CAST(:sequence AS integer)) AS end_mjd
    FROM roman.field f
    JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text)
)
SELECT e.exposure_id, e.visit_id, e.exposure, e.midpoint_mjd_tdb, m.metric, m.value, m.lower, m.upper, m.verdict
FROM scope
JOIN roman.exposure e ON e.field_id = scope.field_id AND e.day_mjd >= scope.start_mjd AND e.day_mjd < scope.end_mjd
JOIN ops.quality_metric m ON m.exposure_id = e.exposure_id
WHERE e.detector = CAST(:detector AS text) AND e.optical_element = CAST(:element AS text)
ORDER BY e.exposure_id, m.metric
