-- Microlensing events of the seasons of the release.
-- Reads: roman.event
-- Parameters:
--   season: season; 0 for all
SELECT t.* FROM roman.event AS t WHERE CAST(:season AS smallint) IN (0, t.season)
