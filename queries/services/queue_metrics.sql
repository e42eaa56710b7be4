-- What monitoring asks of the queue and of runs: names, a label and values.
-- Grain: one row a metric and state.
-- Reads: queue.procrastinate_jobs, queue.procrastinate_workers, ops.job_attempt, ops.load_run.
-- Parameters:
--   silent_s: seconds after which a worker counts as dead
SELECT 'jobs' AS metric, CAST(status AS text) AS state, CAST(count(*) AS double precision) AS value
FROM queue.procrastinate_jobs GROUP BY status
UNION ALL
SELECT 'job_attempts', state, count(*) FROM ops.job_attempt WHERE state <> 'running' GROUP BY state
UNION ALL
SELECT 'runs', state, count(*) FROM ops.load_run WHERE state <> 'running' GROUP BY state
UNION ALL
SELECT 'workers', NULL, count(*) FROM queue.procrastinate_workers
WHERE last_heartbeat >= now() - make_interval(secs => CAST(:silent_s AS double precision))
UNION ALL
SELECT 'job_wait', NULL, coalesce(max(extract(EPOCH FROM now() - greatest(j.scheduled_at, e.at))), 0)
FROM queue.procrastinate_jobs AS j
INNER JOIN queue.procrastinate_events AS e ON e.job_id = j.id AND e.type = 'deferred'
WHERE j.status = 'todo' AND coalesce(j.scheduled_at <= now(), TRUE)
