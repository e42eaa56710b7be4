-- Have jobs done again whose workers gave no sign of life; those that were to be cancelled are, and those whose tries are
-- used up have failed. A worker that takes such a job at the same moment is not seen here as silent, and keeps it.
-- Grain: one row a job.
-- Reads: queue.procrastinate_workers.
-- Writes: queue.procrastinate_jobs, queue.procrastinate_events, ops.job_attempt.
-- Parameters:
--   silent_s: seconds after which a worker counts as dead
WITH put_back AS (
    UPDATE queue.procrastinate_jobs AS j
    SET
        status = CAST(
            CASE
                WHEN j.abort_requested THEN 'aborted'
                WHEN j.attempts >= CAST(j.args ->> 'retries' AS integer) THEN 'failed'
                ELSE 'todo'
            END AS queue.procrastinate_job_status
        ),
        attempts = j.attempts + 1, abort_requested = FALSE, worker_id = NULL, scheduled_at = NULL
    WHERE
        j.status = 'doing' AND (
            j.worker_id IS NULL
            OR EXISTS (
                SELECT FROM queue.procrastinate_workers AS w
                WHERE
                    w.id = j.worker_id
                    AND w.last_heartbeat < now() - make_interval(secs => CAST(:silent_s AS double precision))
            )
        )
    RETURNING j.id AS job_id
), lost AS (
    UPDATE ops.job_attempt AS a
    SET state = 'lost', finished_at = now(), message = 'the worker died, or gave no sign of life'
    FROM put_back AS p
    WHERE a.job_id = p.job_id AND a.state = 'running'
    RETURNING a.job_id
)
SELECT p.job_id FROM put_back AS p LEFT JOIN lost AS l USING (job_id) GROUP BY p.job_id ORDER BY p.job_id
