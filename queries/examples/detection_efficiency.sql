-- Completeness and reliability of an injection by magnitude, at all densities of sources or at some.
-- Question: down to which magnitude are sources found, and can they be believed?
-- Parameters:
--   injection: name of the injection
--   product = detection: what measured the images
--   min_density = 0: least density of sources, per square arcminute
--   max_density = 1e9: density from which cells are left out
-- Note: shares of several cells are those of their counts. The limits are those of Wilson's score interval at one
--   standard deviation.
WITH cell AS (
    SELECT e.magnitude_lower, e.magnitude_upper, sum(e.tp_count)::bigint AS tp_count, sum(e.fn_count)::bigint AS fn_count,
           sum(e.measured_count)::bigint AS measured_count, sum(e.fp_count)::bigint AS fp_count
    FROM roman.detection_efficiency AS e
    JOIN roman.injection_run AS r ON r.injection_run_id = e.injection_run_id
    WHERE r.name = CAST(:injection AS text) AND e.product = CAST(:product AS text)
      AND e.density_lower >= CAST(:min_density AS double precision)
      AND e.density_lower < CAST(:max_density AS double precision)
    GROUP BY e.magnitude_lower, e.magnitude_upper
)
SELECT magnitude_lower, magnitude_upper, tp_count, fn_count,
       tp_count / nullif(tp_count + fn_count, 0)::double precision AS completeness,
       roman.wilson_limit(tp_count, tp_count + fn_count, -1) AS completeness_lower,
       roman.wilson_limit(tp_count, tp_count + fn_count, 1) AS completeness_upper, fp_count,
       measured_count / nullif(measured_count + fp_count, 0)::double precision AS reliability,
       roman.wilson_limit(measured_count, measured_count + fp_count, -1) AS reliability_lower,
       roman.wilson_limit(measured_count, measured_count + fp_count, 1) AS reliability_upper
FROM cell
ORDER BY magnitude_lower;
