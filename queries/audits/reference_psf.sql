-- Reference images whose PSF was not measured at each of 25 places, and places where what is empty and what is flagged
-- do not agree: 1 says that moments are, 2 that the width is.
WITH stored AS (
    SELECT reference_image_id, count(*) AS n_place
    FROM roman.reference_psf_moment
    GROUP BY reference_image_id
)

SELECT 'rows are missing' AS fault, r.reference_image_id, coalesce(s.n_place, 0) AS number
FROM roman.reference_image AS r
LEFT JOIN stored AS s ON s.reference_image_id = r.reference_image_id
WHERE r.psf_n_star IS NOT NULL AND coalesce(s.n_place, 0) <> 25
UNION ALL
SELECT 'flags and values do not agree', reference_image_id, place_number
FROM roman.reference_psf_moment
WHERE
    ((psf_flags & 1) <> 0) <> (num_nulls(sigma, e1, e2, m30, m21, m12, m03, m40, m31, m22, m13, m04) > 0)
    OR ((psf_flags & 2) <> 0) <> (fwhm IS NULL);
