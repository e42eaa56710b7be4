-- Names of one object in the catalogs that it was loaded from.
-- Grain: one row a name
-- Parameters:
--   object_id: identifier of the object
SELECT a.catalog_name, a.source_id FROM roman.object_alias AS a
WHERE a.object_id = CAST(:object_id AS bigint) ORDER BY a.catalog_name, a.source_id LIMIT 100;
