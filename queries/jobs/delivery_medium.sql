-- What events were injected into, of a season: the parts of which the detection efficiency is delivered.
-- Grain: medium.
-- Reads: roman.event_detection.
-- Writes: nothing.
-- Parameters:
--   season: season; 0 for the whole survey
SELECT DISTINCT inject_medium AS medium
FROM roman.event_detection
WHERE season = CAST(:season AS smallint)
ORDER BY inject_medium
