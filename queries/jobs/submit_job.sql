-- Put a command into the queue of workers, which are told.
-- Grain: one row, the number of the job.
-- Reads: nothing.
-- Writes: queue.procrastinate_jobs, queue.procrastinate_events.
-- Parameters:
--   queue: name of the queue
--   task: what procrastinate calls the work
--   priority: the highest is begun first
--   lock: of jobs with the same lock one runs at a time
--   arguments: JSON with the words of the command, retries and backoff_s
--   at: time before which it is not begun; NULL for none
SELECT unnest(queue.procrastinate_defer_jobs_v1(CAST(ARRAY[
    ROW(
        CAST(:queue AS text), CAST(:task AS text), CAST(:priority AS integer), CAST(:lock AS text), NULL,
        CAST(:arguments AS jsonb), CAST(:at AS timestamptz)
    )
] AS queue.procrastinate_job_to_defer_v1 []))) AS job_id
