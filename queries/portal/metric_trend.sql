-- Values of one quality metric of the latest exposures.
-- Grain: one row an exposure that has it
-- Parameters:
--   metric: name of the metric
--   most: how many exposures back; their identifiers are in order of time
SELECT e.midpoint_mjd_tdb, m.value, m.lower, m.upper, m.verdict, e.optical_element, e.exposure_id
FROM (
    SELECT x.exposure_id, x.midpoint_mjd_tdb, x.optical_element FROM roman.exposure AS x
    ORDER BY x.exposure_id DESC LIMIT CAST(:most AS integer)
) AS e
JOIN ops.quality_metric AS m ON m.exposure_id = e.exposure_id AND m.metric = CAST(:metric AS text)
WHERE m.value <> 'NaN'::float8
ORDER BY e.midpoint_mjd_tdb, e.exposure_id;
