-- Find the object that each staged source without one is by position, among those that no source is yet.
-- Of sources that share an object the nearest is it.
-- Grain: one row a staged source that is a known object.
-- Reads: roman.object, staged_source.
-- Writes: staged_source (temporary).
-- Parameters:
--   radius: distance in degrees within which a source is an object
WITH near AS (
    SELECT s.n, o.object_id, q3c_dist(s.ra, s.dec, o.ra, o.dec) AS distance
    FROM pg_temp.staged_source AS s
    JOIN roman.object AS o ON q3c_join(s.ra, s.dec, o.ra, o.dec, CAST(:radius AS double precision))
    WHERE
        s.object_id IS NULL
        AND NOT EXISTS (SELECT 1 FROM pg_temp.staged_source AS k WHERE k.object_id = o.object_id)
),

nearest AS (
    SELECT DISTINCT ON (n) n, object_id, distance
    FROM near
    ORDER BY n, distance, object_id
),

mutual AS (
    SELECT DISTINCT ON (object_id) n, object_id
    FROM nearest
    ORDER BY object_id, distance, n
)

UPDATE pg_temp.staged_source AS s
SET object_id = m.object_id
FROM mutual AS m
WHERE m.n = s.n
