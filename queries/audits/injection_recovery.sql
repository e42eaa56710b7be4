-- Recoveries of sources or images that are not there, and detections without a flux or without being one.
SELECT r.injection_run_id, r.product, r.image_number, r.injected_source_id
FROM roman.injection_recovery AS r
LEFT JOIN roman.injected_source AS s
    ON s.injection_run_id = r.injection_run_id AND s.injected_source_id = r.injected_source_id
LEFT JOIN roman.injection_image AS i
    ON i.injection_run_id = r.injection_run_id AND i.image_number = r.image_number
WHERE s.injected_source_id IS NULL OR i.image_number IS NULL
   OR r.is_detected <> (r.measured_flux IS NOT NULL) OR r.is_detected <> (r.distance IS NOT NULL)
