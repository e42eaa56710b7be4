-- Quality of a dispersed exposure and of its spectra, with its limits.
-- Times are UTC as ISO 8601 has them.
-- Grain: metric
-- Reads: ops.quality_metric
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT metric, value, lower, upper, verdict,
       btrim(CAST(to_json(measured_at AT TIME ZONE 'UTC') AS text), '"') AS measured_at
FROM ops.quality_metric
WHERE exposure_id = CAST(:exposure_id AS bigint)
ORDER BY metric
