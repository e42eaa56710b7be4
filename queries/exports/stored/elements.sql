-- Optical elements in which the sources of a catalog were measured.
-- Grain: optical element
-- Reads: roman.source_photometry
-- Parameters:
--   source_catalog_id: the catalog
SELECT DISTINCT optical_element
FROM roman.source_photometry WHERE source_catalog_id = CAST(:source_catalog_id AS bigint)
ORDER BY optical_element
