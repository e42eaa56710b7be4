-- What there is of reference images: their file, and what they cover: MJD in TDB, wavelengths in m.
-- Reads: roman.reference_image, roman.optical_element
-- Grain: reference image
-- Parameters:
--   numbers: identifiers of reference images, as an array of integers
SELECT r.reference_image_id AS number, r.ra_ref AS ra, r.dec_ref AS dec, r.path, r.size_bytes,
       r.optical_element, r.detector, r.epoch_mjd_tdb AS mjd,
       CAST(r.start_mjd AS double precision) AS t_min, CAST(r.end_mjd AS double precision) AS t_max,
       1e-6 * o.wavelength_min AS em_min, 1e-6 * o.wavelength_max AS em_max
FROM roman.reference_image r
JOIN roman.optical_element o ON o.optical_element = r.optical_element
WHERE r.reference_image_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY r.reference_image_id
