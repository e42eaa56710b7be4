-- Have a job that ended without success done again, at once and with all of its tries.
-- Grain: one row, the job; none where it does not exist, has not ended, or succeeded.
-- Reads: queue.procrastinate_jobs.
-- Writes: queue.procrastinate_jobs, queue.procrastinate_events.
-- Parameters:
--   job_id: the job
WITH ended AS (
    SELECT id FROM queue.procrastinate_jobs
    WHERE id = CAST(:job_id AS bigint) AND status IN ('failed', 'cancelled', 'aborted')
    FOR UPDATE
)
UPDATE queue.procrastinate_jobs AS j
SET status = 'todo', attempts = 0, scheduled_at = NULL, abort_requested = FALSE, worker_id = NULL
FROM ended AS e
WHERE e.id = j.id
RETURNING j.id AS job_id
