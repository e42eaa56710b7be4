-- Files of current source catalogs that are one product: the catalog, its segmentation map, or what was forced.
-- Grain: file
-- Reads: roman.source_catalog, roman.source_catalog_mosaic, roman.source_catalog_exposure
-- Parameters:
--   product: name of the product
--   set_name: set of mosaics, or name of an exposure; NULL for all
SELECT c.source_catalog_id, c.set_name, c.aper_radius, c.reference_element, c.segmentation_path, c.segmentation_sha256,
       f.optical_element, f.path, f.sha256
FROM roman.source_catalog c
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.exposure_id IS NOT NULL THEN 'image_source_catalog'
                WHEN c.reference_element IS NULL THEN 'mosaic_source_catalog'
                ELSE 'multiband_source_catalog' END AS product,
           NULL AS optical_element, c.catalog_path AS path, c.catalog_sha256 AS sha256
    UNION ALL
    SELECT CASE WHEN c.exposure_id IS NOT NULL THEN 'segmentation_map'
                WHEN c.reference_element IS NULL THEN 'mosaic_segmentation_map'
                ELSE 'multiband_segmentation_map' END,
           NULL, c.segmentation_path, c.segmentation_sha256
    UNION ALL
    SELECT 'forced_mosaic_source_catalog', m.optical_element, m.forced_path, m.forced_sha256
    FROM roman.source_catalog_mosaic m
    WHERE m.source_catalog_id = c.source_catalog_id AND m.forced_path IS NOT NULL
    UNION ALL
    SELECT 'forced_image_source_catalog', NULL, x.forced_path, x.forced_sha256
    FROM roman.source_catalog_exposure x
    WHERE x.source_catalog_id = c.source_catalog_id AND x.forced_path IS NOT NULL
) AS f
WHERE c.superseded_at IS NULL AND f.product = CAST(:product AS text)
    AND c.set_name = coalesce(CAST(:set_name AS text), c.set_name)
ORDER BY f.path
