-- What there is of exposures: their file, and their difference.
-- Reads: roman.exposure, ops.input_file, roman.difference_image
-- Grain: exposure
-- Parameters:
--   numbers: identifiers of exposures, as an array of integers
SELECT e.exposure_id AS number, e.ra, e.dec, f.path, f.size_bytes, m.difference_image_id,
       e.optical_element, e.detector, e.midpoint_mjd_utc AS mjd
FROM roman.exposure e
LEFT JOIN ops.input_file f USING (file_id)
LEFT JOIN roman.difference_image m ON m.exposure_id = e.exposure_id AND m.superseded_at IS NULL
WHERE e.exposure_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY e.exposure_id
