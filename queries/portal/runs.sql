-- The latest runs, the latest first.
-- Grain: one row a run
-- Parameters:
--   most: most rows
SELECT r.load_run_id, r.task, r.state, r.started_at, extract(epoch FROM r.duration) AS seconds, r.n_expected, r.n_read,
       r.n_loaded, r.n_unchanged, r.n_rejected, r.n_failed_unit, r.message
FROM ops.run_overview AS r ORDER BY r.load_run_id DESC LIMIT CAST(:most AS integer);
