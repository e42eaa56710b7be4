-- Units whose last trial failed, the latest first.
-- Grain: one row a unit
-- Parameters:
--   days: how many days back
--   most: most rows
WITH last AS (
    SELECT DISTINCT ON (t.task, t.unit) t.task, t.unit, t.state, t.started_at, t.message, t.load_run_id
    FROM ops.task_run AS t
    WHERE t.load_run_id = ANY(ARRAY(
        SELECT load_run_id FROM ops.load_run
        WHERE started_at >= now() - CAST(:days AS double precision) * interval '1 day'
    ))
    ORDER BY t.task, t.unit, t.task_run_id DESC
)
SELECT l.task, l.unit, l.started_at, l.message, l.load_run_id FROM last AS l
WHERE l.state = 'failed' ORDER BY l.started_at DESC LIMIT CAST(:most AS integer);
