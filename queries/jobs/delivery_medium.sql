-- What events were injected into, of a season: the parts of which the detection efficiency is delivered.
-- Grain: medium.
-- Reads: roman.event_detection, roman.field.
-- Writes: nothing.
-- Parameters:
--   survey: survey layout; a field that is of none counts as of it
--   season: season; 0 for the whole survey
SELECT DISTINCT inject_medium AS medium
FROM roman.event_detection LEFT JOIN roman.field USING (field_id)
WHERE season = CAST(:season AS smallint) AND coalesce(survey, CAST(:survey AS text)) = CAST(:survey AS text)
ORDER BY inject_medium
