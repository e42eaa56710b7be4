-- Runs whose input is not accounted for: read is not loaded plus rejected, rejections lack their reason, or
-- the run says that it goes on and has ended.
SELECT r.load_run_id, r.task, r.state, r.n_read, r.n_loaded, r.n_unchanged, r.n_rejected,
       count(x.load_run_id) AS n_reason
FROM ops.load_run AS r
LEFT JOIN ops.load_rejection AS x ON x.load_run_id = r.load_run_id
GROUP BY r.load_run_id
HAVING r.n_read <> r.n_loaded + r.n_rejected
    OR r.n_unchanged > r.n_loaded
    OR count(x.load_run_id) < r.n_rejected
    OR (r.n_rejected = 0 AND count(x.load_run_id) > 0)
    OR (r.state = 'running') <> (r.finished_at IS NULL);
