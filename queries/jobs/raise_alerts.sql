-- Raise what somebody has to look into, once, and clear what holds no longer.
-- Grain: one row an alert that was raised.
-- Reads: ops.dead_job, ops.queue_job, ops.watched_folder, ops.load_run, ops.delivery_due, ops.input_arrival.
-- Writes: ops.alert.
-- Parameters:
--   wait_s: seconds that a job that may begin can wait
WITH holds AS (
    SELECT
        'job_failed' AS kind, CAST(job_id AS text) AS subject,
        concat('roman-db ', command, ': ', coalesce(message, 'failed'), '. Then: roman-db jobs retry ', job_id) AS message
    FROM ops.dead_job
    UNION ALL
    SELECT
        'job_waits', CAST(job_id AS text),
        concat('roman-db ', command, ' waits since ', submitted_at, ': are enough workers running?')
    FROM ops.queue_job
    WHERE
        state = 'todo'
        AND greatest(submitted_at, scheduled_at) < now() - make_interval(secs => CAST(:wait_s AS double precision))
    UNION ALL
    SELECT 'folder_unreadable', folder, concat(problem, '. Check the path, its permissions and whether it is mounted.')
    FROM ops.watched_folder WHERE is_enabled AND problem IS NOT NULL
    UNION ALL
    SELECT 'run_failed', CAST(r.load_run_id AS text), concat(r.task, ' failed: ', r.message)
    FROM ops.load_run AS r
    WHERE
        r.state IN ('failed', 'partly_failed') AND r.finished_at > now() - interval '1 day'
        AND NOT EXISTS (
            SELECT FROM ops.load_run AS later
            WHERE later.task = r.task AND later.load_run_id > r.load_run_id AND later.state = 'succeeded'
        )
    UNION ALL
    SELECT
        k.kind, concat_ws(' ', u.rule, u.survey, u.season, u.start_mjd),
        concat_ws(': ', concat_ws(' ', coalesce(u.name, 'no delivery'), 'is', u.status, 'and due at', u.due_at), u.reason)
    FROM ops.delivery_due AS u
    CROSS JOIN LATERAL (
        VALUES ('delivery_late', u.status = 'late'), ('delivery_failed', u.is_failed AND u.status <> 'done')
    ) AS k (kind, holds)
    WHERE k.holds
    UNION ALL
    SELECT 'input_missing', CAST(data_notification_id AS text),
        concat(count(*), ' announced files are missing or corrupted, such as ', min(filename), ': roman-db deliveries inputs')
    FROM ops.input_arrival WHERE state IN ('missing', 'corrupted') GROUP BY data_notification_id
), cleared AS (
    UPDATE ops.alert AS a
    SET cleared_at = now()
    WHERE a.cleared_at IS NULL AND NOT EXISTS (
        SELECT FROM holds AS h WHERE h.kind = a.kind AND h.subject = a.subject
    )
)
INSERT INTO ops.alert (kind, subject, message)
SELECT h.kind, h.subject, h.message
FROM holds AS h
WHERE NOT EXISTS (
    SELECT FROM ops.alert AS a WHERE a.kind = h.kind AND a.subject = h.subject AND a.cleared_at IS NULL
)
RETURNING alert_id
