-- What is due at the archive, what is not done first, the earliest deadline first.
-- Grain: one row a rule and a span of days
-- Parameters:
--   days: how many days back what is delivered is listed
SELECT rule, survey, season, start_mjd, end_mjd, due_at, status, is_failed, name, state, delivered_at, reason,
       CAST(extract(epoch FROM margin) / 3600 AS double precision) AS margin_h
FROM ops.delivery_due
WHERE status <> 'done' OR delivered_at >= now() - CAST(:days AS double precision) * interval '1 day'
ORDER BY status = 'done', due_at, rule, start_mjd LIMIT 300;
