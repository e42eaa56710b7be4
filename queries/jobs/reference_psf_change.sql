-- How far the PSF of a reference image is from that of the image before it: the largest of the places that both have,
-- which are the same on all images of a frame.
-- Grain: one row; n_place is 0 where there is no image before, or none whose PSF was measured at places.
-- Reads: roman.reference_image, roman.reference_psf_moment.
-- Writes: nothing.
-- Parameters:
--   reference_image_id: the image
WITH image AS (
    SELECT * FROM roman.reference_image
    WHERE reference_image_id = CAST(:reference_image_id AS bigint)
),

before AS (
    SELECT b.reference_image_id
    FROM image AS i
    JOIN roman.reference_image AS b USING (field_id, detector, optical_element, reference_kind)
    WHERE
        b.superseded_at IS NULL AND b.start_mjd < i.start_mjd
        AND EXISTS (SELECT FROM roman.reference_psf_moment AS m WHERE m.reference_image_id = b.reference_image_id)
    ORDER BY b.start_mjd DESC LIMIT 1
)

SELECT
    count(*) AS n_place,
    max(abs(now.fwhm / earlier.fwhm - 1)) AS fwhm,
    max(sqrt((now.e1 - earlier.e1) ^ 2 + (now.e2 - earlier.e2) ^ 2)) AS ellipticity
FROM image
JOIN roman.reference_psf_moment AS now USING (reference_image_id)
JOIN before ON TRUE
JOIN roman.reference_psf_moment AS earlier
    ON earlier.reference_image_id = before.reference_image_id AND earlier.place_number = now.place_number;
