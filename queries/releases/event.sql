-- Microlensing events of the seasons of the release.
-- Reads: roman.event
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.event AS t
WHERE CAST(:season AS smallint) IN (0, t.season) AND EXISTS (
    SELECT FROM roman.measured_by_survey(CAST(:survey AS text), t.season, t.photometry_kind, t.object_id)
)
