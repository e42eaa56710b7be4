-- What there is of differences: the catalog of their sources, and what they were made of.
-- Reads: roman.difference_image
-- Grain: difference
-- Parameters:
--   numbers: identifiers of differences, as an array of integers
SELECT m.difference_image_id AS number, m.exposure_id, m.reference_image_id, m.minuend_reference_image_id,
       m.catalog_path AS path
FROM roman.difference_image m
WHERE m.difference_image_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY m.difference_image_id
