-- Quality of the events and candidates of a season, with its limits.
-- Times are UTC as ISO 8601 has them.
-- Grain: metric
-- Reads: ops.season_quality
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout
--   kind: kind of photometry
SELECT metric, value, lower, upper, verdict,
       btrim(CAST(to_json(measured_at AT TIME ZONE 'UTC') AS text), '"') AS measured_at
FROM ops.season_quality
WHERE survey = CAST(:survey AS text) AND season = CAST(:season AS smallint)
    AND photometry_kind = CAST(:kind AS text) AND subject = 'events'
ORDER BY metric
