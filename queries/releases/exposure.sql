-- Exposures of the survey in the seasons of the release.
-- Reads: roman.exposure, roman.field, roman.season
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.exposure AS t
JOIN roman.field AS f USING (field_id)
JOIN roman.season AS s ON s.survey = f.survey AND t.day_mjd >= s.start_mjd AND t.day_mjd < s.end_mjd
WHERE f.survey = CAST(:survey AS text) AND CAST(:season AS smallint) IN (0, s.season)
