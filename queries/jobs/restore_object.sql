-- Take back dropped objects that a catalog lists, or that differences of images show.
-- Grain: one row: how many objects came back.
-- Reads: staged_source (temporary), roman.dropped_object.
-- Writes: roman.dropped_object.
-- Parameters:
--   version: catalog version that this is
WITH restored AS (
    UPDATE roman.dropped_object AS d SET restored_by = CAST(:version AS bigint)
    FROM pg_temp.staged_source AS s
    WHERE s.object_id = d.object_id AND d.restored_by IS NULL
    RETURNING d.object_id
)

SELECT count(*) AS n_restored FROM restored
