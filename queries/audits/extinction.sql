-- Cells of the map of extinction that lie in one another, and cells without a row for each optical element.
WITH cell AS (
    SELECT healpix_order, healpix_index, count(*) AS n_element
    FROM roman.extinction
    WHERE superseded_at IS NULL
    GROUP BY healpix_order, healpix_index
)

SELECT 'lies in another cell' AS fault, c.healpix_order, c.healpix_index, o.healpix_order AS number
FROM cell AS c
JOIN cell AS o
    ON
        o.healpix_order < c.healpix_order
        AND o.healpix_index = c.healpix_index >> (2 * (c.healpix_order - o.healpix_order))
UNION ALL
SELECT 'elements are missing', healpix_order, healpix_index, n_element
FROM cell
WHERE n_element <> 3
