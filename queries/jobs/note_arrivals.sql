-- Note the files of a watched folder; one that is new or has changed since is to be loaded once it stays as it is.
-- Grain: no rows.
-- Reads: ops.arrived_file.
-- Writes: ops.arrived_file.
-- Parameters:
--   folder: the folder
--   paths: array with the path of each file
--   sizes: array with the bytes of each
--   times: array with when each was modified, in seconds since the epoch
WITH seen AS (
    SELECT path, size_bytes, to_timestamp(modified) AS modified_at
    FROM unnest(
        CAST(:paths AS text []), CAST(:sizes AS bigint []), CAST(:times AS double precision [])
    ) AS f (path, size_bytes, modified)
)
INSERT INTO ops.arrived_file AS a (path, folder, size_bytes, modified_at)
SELECT s.path, CAST(:folder AS text), s.size_bytes, s.modified_at
FROM seen AS s
-- What is as it was is not touched: ON CONFLICT would lock, and so write, each row of a folder that is full.
WHERE NOT EXISTS (
    SELECT FROM ops.arrived_file AS k
    WHERE k.path = s.path AND k.size_bytes = s.size_bytes AND k.modified_at = s.modified_at
)
ON CONFLICT (path) DO UPDATE
    SET
        folder = excluded.folder, size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,
        changed_at = now(), job_id = NULL
    WHERE (a.size_bytes, a.modified_at) <> (excluded.size_bytes, excluded.modified_at)
