-- What there is of exposures: their file, their difference, and what they cover: MJD in UTC, wavelengths in m.
-- Reads: roman.exposure, ops.input_file, roman.difference_image, roman.optical_element
-- Grain: exposure
-- Parameters:
--   numbers: identifiers of exposures, as an array of integers
SELECT e.exposure_id AS number, e.ra, e.dec, f.path, f.size_bytes, m.difference_image_id,
       e.optical_element, e.detector, e.midpoint_mjd_utc AS mjd,
       adql.modified_julian_date(e.exposure_start_time) AS t_min,
       adql.modified_julian_date(e.exposure_end_time) AS t_max,
       1e-6 * o.wavelength_min AS em_min, 1e-6 * o.wavelength_max AS em_max
FROM roman.exposure e
JOIN roman.optical_element o ON o.optical_element = e.optical_element
LEFT JOIN ops.input_file f USING (file_id)
LEFT JOIN roman.difference_image m ON m.exposure_id = e.exposure_id AND m.superseded_at IS NULL
WHERE e.exposure_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY e.exposure_id
