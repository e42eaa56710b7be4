-- Runs whose input is not accounted for: a run that came to its end, or a unit of it, has not counted what it was
-- given, read is not loaded plus rejected, rejections lack their reason, units failed unsaid, or the run says that
-- it goes on and has ended.
SELECT r.load_run_id, r.task, r.state, r.n_expected, r.n_read, r.n_loaded, r.n_unchanged, r.n_rejected,
       x.n_reason, u.n_failed, u.n_unreconciled
FROM ops.load_run AS r
CROSS JOIN LATERAL (
    SELECT count(*) AS n_reason FROM ops.load_rejection WHERE load_run_id = r.load_run_id
) AS x
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'failed') AS n_failed,
           count(*) FILTER (WHERE state IN ('succeeded', 'failed') AND n_read <> n_expected) AS n_unreconciled
    FROM ops.task_run WHERE load_run_id = r.load_run_id
) AS u
WHERE r.n_read <> r.n_loaded + r.n_rejected
   OR r.n_unchanged > r.n_loaded
   OR (r.state IN ('succeeded', 'partly_failed') AND r.n_read <> r.n_expected)
   OR (r.state IN ('succeeded', 'partly_failed') AND u.n_unreconciled > 0)
   OR (r.state = 'succeeded' AND u.n_failed > 0 AND r.n_expected IS NOT NULL)
   OR x.n_reason <> r.n_rejected
   OR (r.state = 'running') <> (r.finished_at IS NULL);
