-- A quality metric of one detector, day by day, with the number of exposures out of limits.
-- Question: does this detector drift?
-- Parameters:
--   metric = zero_point_drift: name of the metric, as in ops.quality_limit
--   detector = WFI01: detector
--   optical_element = F146: optical element
SELECT e.day_mjd, count(*) AS n_exposure,
       min(m.value) AS least, percentile_cont(0.5) WITHIN GROUP (ORDER BY m.value) AS median,
       max(m.value) AS largest,
       min(m.lower) AS lower_limit, max(m.upper) AS upper_limit,
       count(*) FILTER (WHERE m.verdict IN ('warning', 'failure')) AS n_out_of_limits
FROM roman.exposure AS e
JOIN ops.quality_metric AS m ON m.exposure_id = e.exposure_id
WHERE m.metric = CAST(:metric AS text) AND e.detector = CAST(:detector AS text)
  AND e.optical_element = CAST(:optical_element AS text)
  AND m.value <> 'NaN'::double precision
GROUP BY e.day_mjd
ORDER BY e.day_mjd;
