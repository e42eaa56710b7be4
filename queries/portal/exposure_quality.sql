-- Quality metrics of one exposure as they were measured last.
-- Grain: one row a metric
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT DISTINCT ON (m.metric) m.metric, m.value, m.lower, m.upper, m.verdict, m.measured_at
FROM ops.quality_metric AS m WHERE m.exposure_id = CAST(:exposure_id AS bigint)
ORDER BY m.metric, m.quality_metric_id DESC;
