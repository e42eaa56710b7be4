-- Objects that a catalog calls by a name.
-- Grain: one row an object
-- Parameters:
--   name: identifier of the source in whatever catalog
--   most: most rows
-- Note: the key begins with the catalog, so that the catalogs are found first, from one to the next.
WITH RECURSIVE catalog AS (
    (SELECT a.catalog_name FROM roman.object_alias AS a ORDER BY a.catalog_name LIMIT 1)
    UNION ALL
    SELECT (
        SELECT a.catalog_name FROM roman.object_alias AS a
        WHERE a.catalog_name > c.catalog_name ORDER BY a.catalog_name LIMIT 1
    ) FROM catalog AS c WHERE c.catalog_name IS NOT NULL
)
SELECT DISTINCT o.object_id, o.ra, o.dec, CAST('NaN' AS double precision) AS distance
FROM catalog AS c
JOIN roman.object_alias AS a ON a.catalog_name = c.catalog_name AND a.source_id = CAST(:name AS text)
JOIN roman.object AS o ON o.object_id = a.object_id
ORDER BY o.object_id LIMIT CAST(:most AS integer);
