-- List the dispersed exposures whose spectra are not extracted, or of which something is new since they were.
-- Grain: one row an exposure.
-- Reads: roman.spectral_exposure_state, roman.exposure, ops.input_file.
-- Parameters:
--   detector: detector, or null for all
--   optical_element: GRISM or PRISM, or null for both
--   redo: whether those of which nothing is new are listed, too
SELECT
    e.exposure_id, e.detector, e.optical_element, e.ra, e.dec, e.n_x, e.n_y, e.file_id, f.path, f.sha256, f.size_bytes,
    s.geometry_reference_id, s.sensitivity_reference_id, s.flat_reference_id,
    d.exposure_id AS direct_exposure_id, d.file_id AS direct_file_id, f.filename AS name
FROM roman.spectral_exposure_state AS s
JOIN roman.exposure AS e ON e.exposure_id = s.exposure_id
JOIN ops.input_file AS f ON f.file_id = e.file_id
LEFT JOIN roman.exposure AS d ON d.exposure_id = roman.best_direct_exposure(e.exposure_id)
WHERE
    (s.stale_reason IS NOT NULL OR CAST(:redo AS bool))
    AND e.detector = coalesce(CAST(:detector AS text), e.detector)
    AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
ORDER BY e.midpoint_mjd_tdb, e.exposure_id
