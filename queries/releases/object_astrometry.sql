-- Places and motions of objects from the seasons of the release, and from all of them together.
-- Reads: roman.object_astrometry
-- Parameters:
--   survey: survey layout
--   season: season; 0 for all
SELECT t.*
FROM roman.object_astrometry AS t
WHERE CAST(:season AS smallint) IN (0, t.season) AND EXISTS (
    SELECT FROM roman.measured_by_survey(CAST(:survey AS text), t.season, t.photometry_kind, t.object_id)
)
