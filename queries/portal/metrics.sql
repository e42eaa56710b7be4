-- Quality metrics that were measured of late, and how many of them are beyond their limits.
-- Grain: one row a metric
-- Parameters:
--   days: how many days back
SELECT m.metric, coalesce(l.description, '') AS description, coalesce(l.unit, '') AS unit, count(*) AS n_value,
       count(*) FILTER (WHERE m.verdict = 'warning') AS n_warning,
       count(*) FILTER (WHERE m.verdict = 'failure') AS n_failure,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY m.value) FILTER (WHERE m.value <> 'NaN'::float8) AS median,
       min(m.lower) AS lower, max(m.upper) AS upper
FROM ops.quality_metric AS m
LEFT JOIN ops.quality_limit AS l ON l.metric = m.metric AND l.optical_element = 'any'
WHERE m.load_run_id = ANY(ARRAY(
    SELECT load_run_id FROM ops.load_run
    WHERE started_at >= now() - CAST(:days AS double precision) * interval '1 day'
))
GROUP BY m.metric, l.description, l.unit
ORDER BY n_failure DESC, n_warning DESC, m.metric;
