-- Quality of the light curves, astrometry and extinction of a season, with its limits.
-- Grain: metric
-- Reads: ops.season_quality
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   kind: kind of photometry
SELECT metric, value, lower, upper, verdict, measured_at
FROM ops.season_quality
WHERE season = CAST(:season AS smallint) AND photometry_kind = CAST(:kind AS text) AND subject = 'photometry'
ORDER BY metric
