-- Keep the names that a catalog gives to the staged sources; of sources that share a name the first keeps it.
-- Grain: one row: how many names are new or moved to another object.
-- Reads: staged_source (temporary), roman.object_alias.
-- Writes: roman.object_alias.
-- Parameters:
--   name: name of the catalog
--   version: catalog version that this is
--   load_run_id: run that writes
WITH named AS (
    SELECT DISTINCT ON (source_id) source_id, object_id
    FROM pg_temp.staged_source
    WHERE source_id IS NOT NULL
    ORDER BY source_id, n
),

given AS (
    SELECT s.source_id, s.object_id
    FROM named AS s
    LEFT JOIN roman.object_alias AS a ON a.catalog_name = CAST(:name AS text) AND a.source_id = s.source_id
    WHERE a.object_id IS DISTINCT FROM s.object_id
),

written AS (
    INSERT INTO roman.object_alias (catalog_name, source_id, object_id, catalog_version_id, load_run_id)
    SELECT
        CAST(:name AS text), source_id, object_id, CAST(:version AS bigint), CAST(:load_run_id AS bigint)
    FROM given
    ON CONFLICT (catalog_name, source_id) DO UPDATE SET
        object_id = excluded.object_id, catalog_version_id = excluded.catalog_version_id,
        load_run_id = excluded.load_run_id
)

SELECT count(*) AS n_written
FROM given
