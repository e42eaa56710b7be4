-- What is known of how objects vary in the seasons of the release, and in all of them together.
-- Reads: roman.variability
-- Parameters:
--   season: season; 0 for all
SELECT t.* FROM roman.variability AS t WHERE CAST(:season AS smallint) IN (0, t.season)
