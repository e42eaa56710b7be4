-- Drop objects from the current catalog, or take them back, as images say.
-- What a catalog names stays, and what differences of images showed, events, and sources of static catalogs.
-- Grain: one row: how many objects were dropped, and how many came back.
-- Reads: staged_presence (temporary), roman.dropped_object, roman.object_alias, roman.dia_source,
--   roman.difference_image, roman.event, roman.source, roman.source_catalog.
-- Writes: roman.dropped_object.
-- Parameters:
--   version: catalog version that this is
--   load_run_id: run that writes
WITH judged AS (
    SELECT
        p.*,
        d.object_id IS NOT NULL AS was_dropped,
        p.is_dropped
        AND NOT EXISTS (SELECT FROM roman.object_alias AS a WHERE a.object_id = p.object_id)
        AND NOT EXISTS (SELECT FROM roman.event AS e WHERE e.object_id = p.object_id AND e.is_event)
        AND NOT EXISTS (
            SELECT FROM roman.dia_source AS s
            JOIN roman.difference_image AS i ON i.difference_image_id = s.difference_image_id
            WHERE s.object_id = p.object_id AND s.kind IN ('new', 'variable') AND i.superseded_at IS NULL
        )
        AND NOT EXISTS (
            SELECT FROM roman.source AS s
            JOIN roman.source_catalog AS c ON c.source_catalog_id = s.source_catalog_id
            WHERE s.object_id = p.object_id AND c.superseded_at IS NULL
        ) AS is_none
    FROM pg_temp.staged_presence AS p
    LEFT JOIN roman.dropped_object AS d ON d.object_id = p.object_id AND d.restored_by IS NULL
),

dropped AS (
    INSERT INTO roman.dropped_object (
        object_id, catalog_version_id, reason, log_odds, n_seen, n_absent, load_run_id
    )
    SELECT
        object_id, CAST(:version AS bigint), CASE WHEN is_merged THEN 'merged' ELSE 'missing' END,
        log_odds, n_seen, n_absent, CAST(:load_run_id AS bigint)
    FROM judged
    WHERE is_none AND NOT was_dropped
    RETURNING object_id
),

restored AS (
    UPDATE roman.dropped_object AS d SET restored_by = CAST(:version AS bigint)
    FROM judged AS j
    WHERE j.object_id = d.object_id AND d.restored_by IS NULL AND j.was_dropped AND NOT j.is_none
    RETURNING d.object_id
)

SELECT
    (SELECT count(*) FROM dropped) AS n_dropped,
    (SELECT count(*) FROM restored) AS n_restored
