-- What there is of reference images: their file.
-- Reads: roman.reference_image
-- Grain: reference image
-- Parameters:
--   numbers: identifiers of reference images, as an array of integers
SELECT r.reference_image_id AS number, r.ra_ref AS ra, r.dec_ref AS dec, r.path, r.size_bytes,
       r.optical_element, r.detector, r.epoch_mjd_tdb AS mjd
FROM roman.reference_image r
WHERE r.reference_image_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY r.reference_image_id
