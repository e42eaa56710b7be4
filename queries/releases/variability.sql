-- What is known of how objects vary in the seasons of the release, and in all of them together.
-- Reads: roman.variability
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.variability AS t
WHERE CAST(:season AS smallint) IN (0, t.season) AND EXISTS (
    SELECT FROM roman.measured_by_survey(CAST(:survey AS text), t.season, t.photometry_kind, t.object_id)
)
