-- Exposures that were received of late and are in no light curve yet, with the hour at which they are late.
-- Grain: one row a field, detector, optical element and day
-- Parameters:
--   days: how many days back
--   hours: hours after receipt within which the daily run is to photometer an exposure
SELECT f.name AS field, e.detector, e.optical_element, e.day_mjd, count(*) AS n_exposure,
       min(r.started_at) AS received_at,
       min(r.started_at) + CAST(:hours AS double precision) * interval '1 hour' AS due_at,
       min(r.started_at) + CAST(:hours AS double precision) * interval '1 hour' < now() AS is_late
FROM ops.load_run AS r
JOIN roman.exposure AS e USING (load_run_id)
LEFT JOIN roman.field AS f USING (field_id)
WHERE r.started_at >= now() - CAST(:days AS double precision) * interval '1 day'
  AND NOT EXISTS (
      SELECT FROM roman.light_curve_block AS b
      WHERE b.superseded_at IS NULL AND b.detector = e.detector AND b.optical_element = e.optical_element
        AND b.start_mjd <= e.day_mjd AND b.end_mjd > e.day_mjd AND b.exposure_id @> ARRAY[e.exposure_id]
  )
GROUP BY f.name, e.detector, e.optical_element, e.day_mjd
ORDER BY due_at, f.name, e.detector, e.optical_element, e.day_mjd LIMIT 200;
