-- Models of the events of the release that were not replaced.
-- Reads: roman.event_model, roman.event
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.event_model AS t
JOIN roman.event AS e USING (event_id)
WHERE t.superseded_at IS NULL AND CAST(:season AS smallint) IN (0, e.season) AND EXISTS (
    SELECT FROM roman.measured_by_survey(CAST(:survey AS text), e.season, e.photometry_kind, e.object_id)
)
