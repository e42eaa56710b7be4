-- Input that was refused of late: how often, why, and what to do.
-- Grain: one row a task and code
-- Parameters:
--   days: how many days back
SELECT r.task, x.code, count(*) AS n_rejection, max(x.rejected_at) AS rejected_at,
       (array_agg(x.reason ORDER BY x.load_rejection_id DESC))[1] AS reason,
       (array_agg(x.remedy ORDER BY x.load_rejection_id DESC))[1] AS remedy
FROM ops.load_run AS r JOIN ops.load_rejection AS x USING (load_run_id)
WHERE r.started_at >= now() - CAST(:days AS double precision) * interval '1 day'
GROUP BY r.task, x.code ORDER BY rejected_at DESC LIMIT 100;
