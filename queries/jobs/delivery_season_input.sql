-- List the files of which products of a season so far are made: the current one of each image of the season.
-- Grain: one row a file, by name.
-- Reads: roman.exposure, roman.field, roman.optical_element, roman.season, ops.input_file.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout
--   season: season
SELECT i.sha256, i.filename, min(e.day_mjd) AS first_mjd, max(e.day_mjd) AS last_mjd
FROM roman.season AS s
JOIN roman.field AS f ON f.survey = s.survey
JOIN roman.exposure AS e ON e.field_id = f.field_id AND e.day_mjd >= s.start_mjd AND e.day_mjd < s.end_mjd
JOIN roman.optical_element AS o ON o.optical_element = e.optical_element AND o.kind = 'imaging'
JOIN ops.input_file AS i ON i.file_id = e.file_id
WHERE s.survey = CAST(:survey AS text) AND s.season = CAST(:season AS smallint)
GROUP BY i.file_id
ORDER BY i.filename, i.file_id
