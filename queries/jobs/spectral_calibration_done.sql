-- List what derived references were derived from.
-- Grain: one row a reference.
-- Reads: roman.calibration_reference, roman.calibration_source.
-- Parameters:
--   reftype: geometry, sensitivity or flat
SELECT r.optical_element, r.detector, array_agg(s.file_id ORDER BY s.file_id) AS file_id
FROM roman.calibration_reference AS r
JOIN roman.calibration_source AS s ON s.calibration_reference_id = r.calibration_reference_id
WHERE r.superseded_at IS NULL AND r.reftype = CAST(:reftype AS text)
GROUP BY r.calibration_reference_id
