-- Accounts with the limits of their tiers and what was granted beyond them.
-- Grain: one row an account; grants: what holds now for it, and in a tier whose limits are shared for its team.
-- Reads: ops.account, ops.account_tier, ops.team, ops.resource_request.
-- Writes: nothing.
-- Parameters:
--   account_id: account; empty for any
--   name: its name; empty for any
--   tier: its tier; empty for any
--   state: its state; empty for any
SELECT
    a.account_id, a.name, a.full_name, a.email, a.tier, a.team_id, team.name AS team, a.state, a.created_at, a.renewed_at,
    a.expires_at, t.rows, t.seconds_sync, t.seconds_async, t.concurrent, t.scratch_bytes, t.upload_bytes, t.sky_area,
    t.day_rows, t.day_seconds, t.job_bytes, t.pending_jobs, t.renewal_days, t.is_shared, t.work_bytes, t.temp_bytes,
    ARRAY(
        SELECT jsonb_build_object('resource', r.resource, 'amount', r.granted, 'expires_at', r.expires_at)
        FROM ops.resource_request AS r
        INNER JOIN ops.account AS m ON m.account_id = r.account_id
        WHERE
            r.decision = 'approved' AND r.expires_at > now()
            AND (m.account_id = a.account_id OR (t.is_shared AND m.team_id = a.team_id AND m.tier = a.tier))
        ORDER BY r.resource_request_id
    ) AS grants
FROM ops.account AS a
INNER JOIN ops.account_tier AS t ON t.tier = a.tier
LEFT JOIN ops.team AS team ON team.team_id = a.team_id
WHERE
    (CAST(:account_id AS bigint) IS NULL OR a.account_id = CAST(:account_id AS bigint))
    AND (CAST(:name AS text) IS NULL OR a.name = CAST(:name AS text))
    AND (CAST(:tier AS text) IS NULL OR a.tier = CAST(:tier AS text))
    AND (CAST(:state AS text) IS NULL OR a.state = CAST(:state AS text))
ORDER BY a.name
