-- List what is due and ready, and not made yet: the command of its rule succeeded, and began when the last input was
-- stored and the days were over. A command for one detector or optical element alone makes nothing ready. What was refused is ready again after a further success of the command; what could not be made, at once.
-- Grain: rule and span of days, the earliest deadline first.
-- Reads: ops.delivery_due, ops.delivery_rule, ops.delivery, ops.load_run.
-- Writes: nothing.
SELECT u.rule, u.survey, u.season, u.start_mjd, u.end_mjd
FROM ops.delivery_due AS u
JOIN ops.delivery_rule AS r USING (rule)
LEFT JOIN ops.delivery AS d USING (delivery_id)
CROSS JOIN LATERAL (
    SELECT max(n.started_at) AS started_at
    FROM ops.load_run AS n
    WHERE
        n.task = r.task AND n.state = 'succeeded' AND n.started_at >= u.whole_at
        AND coalesce(n.arguments ->> 'detector', n.arguments ->> 'optical_element') IS NULL
        AND coalesce(n.arguments ->> 'season', CAST(u.season AS text)) = CAST(u.season AS text)
) AS done
WHERE
    u.status NOT IN ('done', 'held') AND u.clock_at <= now() AND done.started_at IS NOT NULL
    AND (
        d.delivery_id IS NULL OR d.state = 'failed' OR d.created_at < u.stored_at
        OR d.state IN ('refused', 'rejected') AND d.created_at < done.started_at
        OR d.state = 'accepted' AND d.is_partial AND d.created_at < done.started_at
    )
ORDER BY u.due_at, u.rule, u.start_mjd
