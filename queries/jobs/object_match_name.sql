-- Find the object that each staged source is by its name in the catalog.
-- A name counts only where it is near its object: a catalog may number its sources anew, or be another of that name.
-- Of sources that share an object the nearest is it.
-- Grain: one row a staged source that is a known object.
-- Reads: roman.object, roman.object_alias, staged_source.
-- Writes: staged_source (temporary).
-- Parameters:
--   name: name of the catalog
--   name_radius: distance in degrees within which a source of an object's name is the object
WITH same_name AS (
    SELECT s.n, o.object_id, q3c_dist(s.ra, s.dec, o.ra, o.dec) AS distance
    FROM pg_temp.staged_source AS s
    JOIN roman.object_alias AS a ON a.source_id = s.source_id AND a.catalog_name = CAST(:name AS text)
    JOIN roman.object AS o ON o.object_id = a.object_id
),

named AS (
    SELECT DISTINCT ON (object_id) n, object_id
    FROM same_name
    WHERE distance < CAST(:name_radius AS double precision)
    ORDER BY object_id, distance, n
)

UPDATE pg_temp.staged_source AS s
SET object_id = m.object_id
FROM named AS m
WHERE m.n = s.n
