-- Places and motions of objects from the seasons of the release, and from all of them together.
-- Reads: roman.object_astrometry
-- Parameters:
--   season: season; 0 for all
SELECT t.* FROM roman.object_astrometry AS t WHERE CAST(:season AS smallint) IN (0, t.season)
