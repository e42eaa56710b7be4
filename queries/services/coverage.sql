-- Sky that exposures cover, as ranges of nested HEALPix pixels of order 29.
-- Reads: roman.exposure
-- Grain: range
-- Parameters:
--   element: optical element; empty text for all
SELECT lower(piece) AS first_pixel, upper(piece) AS end_pixel
FROM (
    SELECT range_agg(footprint) AS covered
    FROM roman.exposure
    WHERE CAST(:element AS text) = '' OR optical_element = :element
) AS whole, unnest(whole.covered) AS piece
ORDER BY 1
