-- List the exposures with each current static catalog of mosaics whose sky they overlap, where the sources of that
-- catalog were not measured in the file that the exposure has now.
-- Grain: one row an exposure and catalog.
-- Reads: roman.exposure, roman.optical_element, roman.sky_cell, roman.source_catalog, roman.source_catalog_exposure,
--   ops.input_file.
-- Parameters:
--   first_day: first day, MJD TDB
--   last_day: last day, MJD TDB
--   detector: detector, or null for all
--   optical_element: optical element, or null for all
--   redo: whether those that were measured are listed, too
SELECT
    e.exposure_id, e.detector, e.optical_element, e.midpoint_mjd_tdb, e.file_id, f.path, f.sha256, f.size_bytes,
    c.source_catalog_id, f.filename || ' for catalog ' || c.source_catalog_id AS name
FROM roman.source_catalog AS c
JOIN roman.sky_cell AS s ON s.sky_cell_id = c.sky_cell_id
JOIN roman.exposure AS e ON e.footprint && s.footprint
JOIN roman.optical_element AS o ON o.optical_element = e.optical_element
JOIN ops.input_file AS f ON f.file_id = e.file_id
WHERE
    c.superseded_at IS NULL
    AND o.kind = 'imaging'
    AND e.day_mjd BETWEEN CAST(:first_day AS int) AND CAST(:last_day AS int)
    AND e.detector = coalesce(CAST(:detector AS text), e.detector)
    AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
    AND (
        CAST(:redo AS bool)
        OR NOT EXISTS (
            SELECT FROM roman.source_catalog_exposure AS x
            WHERE x.source_catalog_id = c.source_catalog_id
                AND x.exposure_id = e.exposure_id
                AND x.file_id = e.file_id
        )
    )
ORDER BY c.source_catalog_id, e.midpoint_mjd_tdb, e.exposure_id
