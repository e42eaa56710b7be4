-- Values of one quality metric of exposures, the latest by day of observation.
-- Grain: one row a value
-- Parameters:
--   metric: name of the metric
--   most: most rows
SELECT t.midpoint_mjd_tdb, t.value, t.lower, t.upper, t.verdict, t.optical_element, t.exposure_id FROM (
    SELECT e.midpoint_mjd_tdb, m.value, m.lower, m.upper, m.verdict, e.optical_element, e.exposure_id
    FROM ops.quality_metric AS m JOIN roman.exposure AS e USING (exposure_id)
    WHERE m.metric = CAST(:metric AS text) AND m.value <> 'NaN'::float8
    ORDER BY e.midpoint_mjd_tdb DESC LIMIT CAST(:most AS integer)
) AS t ORDER BY t.midpoint_mjd_tdb;
