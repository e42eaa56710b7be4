-- Objects that a catalog calls by a name.
-- Grain: one row an object
-- Parameters:
--   name: identifier of the source in whatever catalog
--   most: most rows
SELECT DISTINCT o.object_id, o.ra, o.dec, CAST('NaN' AS double precision) AS distance
FROM roman.object_alias AS a JOIN roman.object AS o USING (object_id)
WHERE a.source_id = CAST(:name AS text) ORDER BY o.object_id LIMIT CAST(:most AS integer);
