-- Exposures that were received of late and are in no light curve yet, with the hour at which they are late.
-- Grain: one row a field, detector, optical element and day
-- Parameters:
--   days: how many days back
--   hours: hours after receipt within which the daily run is to photometer an exposure
WITH received AS (
    SELECT e.exposure_id, e.field_id, e.detector, e.optical_element, e.day_mjd, r.started_at
    FROM ops.load_run AS r JOIN roman.exposure AS e USING (load_run_id)
    WHERE r.started_at >= now() - CAST(:days AS double precision) * interval '1 day'
), photometered AS (
    SELECT DISTINCT unnest(b.exposure_id) AS exposure_id FROM roman.light_curve_block AS b
    WHERE b.superseded_at IS NULL AND b.end_mjd > (SELECT min(day_mjd) FROM received)
)
SELECT f.name AS field, r.detector, r.optical_element, r.day_mjd, count(*) AS n_exposure,
       min(r.started_at) AS received_at,
       min(r.started_at) + CAST(:hours AS double precision) * interval '1 hour' AS due_at,
       min(r.started_at) + CAST(:hours AS double precision) * interval '1 hour' < now() AS is_late
FROM received AS r
LEFT JOIN photometered AS p USING (exposure_id)
LEFT JOIN roman.field AS f USING (field_id)
WHERE p.exposure_id IS NULL
GROUP BY f.name, r.detector, r.optical_element, r.day_mjd
ORDER BY due_at, f.name, r.detector, r.optical_element, r.day_mjd LIMIT 200;
