-- Schedules whose time has come, marked as put into the queue in the same transaction. What was missed while no worker ran
-- is done once; one schedule is looked at by one worker at a time.
-- Grain: one row a command that is due; of a schedule that follows seasons one for each season.
-- Reads: roman.season.
-- Writes: ops.job_schedule.
-- Parameters:
--   none_before: seconds since the epoch; seasons whose command was due before are left out where none was done yet
WITH open_schedule AS MATERIALIZED (
    SELECT name, command, priority, every_days, first_at, survey, delay_days, last_due_at
    FROM ops.job_schedule
    WHERE is_enabled
    FOR UPDATE SKIP LOCKED
), due AS (
    SELECT
        name, command, priority,
        first_at + make_interval(secs => 86400 * every_days)
        * floor(extract(EPOCH FROM now() - first_at) / (86400 * every_days)) AS due_at,
        CAST(NULL AS smallint) AS season, last_due_at
    FROM open_schedule
    WHERE first_at <= now()
    UNION ALL
    SELECT
        o.name, o.command, o.priority, e.due_at, s.season,
        coalesce(o.last_due_at, to_timestamp(CAST(:none_before AS double precision)))
    FROM open_schedule AS o
    INNER JOIN roman.season AS s ON s.survey = o.survey
    -- 69 s of TDB against UTC do not matter here.
    CROSS JOIN LATERAL (
        SELECT timestamptz '1858-11-17 00:00+00' + make_interval(secs => 86400 * (s.end_mjd + o.delay_days)) AS due_at
    ) AS e
), now_due AS (
    SELECT name, command, priority, due_at, season
    FROM due
    WHERE due_at <= now() AND (last_due_at IS NULL OR due_at > last_due_at)
), marked AS (
    UPDATE ops.job_schedule AS j
    SET last_due_at = m.due_at
    FROM (SELECT name, max(due_at) AS due_at FROM now_due GROUP BY name) AS m
    WHERE j.name = m.name
)
SELECT name, command, priority, due_at, season FROM now_due ORDER BY priority DESC, due_at, name
