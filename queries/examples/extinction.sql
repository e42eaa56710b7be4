-- Extinction and reddening where an object is, in each optical element, with errors.
-- Question: how much dust lies in front of the bulge at my star?
-- Parameters:
--   object_id: identifier of the object
-- Note: an object's number begins with that of the cell in which it lies. Extinctions of one cell share the errors of
--   the clump's place, so that the reddening against F146 is better known than they are.
SELECT
    e.healpix_order, e.optical_element, e.extinction, e.extinction_err, e.clump_mag, e.n_star, e.status,
    e.extinction - f146.extinction AS reddening,
    sqrt(greatest(
        e.extinction_err ^ 2 + f146.extinction_err ^ 2 - 2 * e.extinction_covariance_f146, 0
    )) AS reddening_err
FROM roman.extinction AS e
JOIN roman.extinction AS f146
    ON
        f146.healpix_order = e.healpix_order AND f146.healpix_index = e.healpix_index
        AND f146.optical_element = 'F146' AND f146.superseded_at IS NULL
WHERE
    e.superseded_at IS NULL
    AND e.healpix_index = CAST(:object_id AS bigint) >> (2 * (29 - e.healpix_order))
ORDER BY e.optical_element;
