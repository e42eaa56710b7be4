-- List the current mosaics without current blocks of light curves of both kinds, or with ones from before the catalog
-- got objects where they look; withdrawn are the numbers of other versions of each in blocks.
-- Grain: one row a mosaic.
-- Reads: roman.mosaic, roman.sky_cell, roman.light_curve_block, roman.current_object,
--   roman.dropped_object, roman.optical_element.
-- Parameters:
--   cell: name of a sky cell, or null for all
--   optical_element: optical element, or null for all
--   redo: whether those that are done are listed, too
WITH chosen AS (
    SELECT
        m.mosaic_id, m.sky_cell_id, m.set_name, m.optical_element, m.time_mean_mjd_tdb, s.name AS cell, s.ra, s.dec,
        0.5 * sqrt(CAST(s.n_x AS double precision) ^ 2 + CAST(s.n_y AS double precision) ^ 2)
        * s.pixel_scale / 3600 AS radius
    FROM roman.mosaic AS m
    JOIN roman.sky_cell AS s ON s.sky_cell_id = m.sky_cell_id
    WHERE
        m.superseded_at IS NULL
        AND s.name = coalesce(CAST(:cell AS text), s.name)
        AND m.optical_element = coalesce(CAST(:optical_element AS text), m.optical_element)
)

SELECT
    c.*,
    ARRAY(
        SELECT -o.mosaic_id FROM roman.mosaic AS o
        WHERE o.sky_cell_id = c.sky_cell_id AND o.set_name = c.set_name
            AND o.optical_element = c.optical_element AND o.mosaic_id <> c.mosaic_id
        ORDER BY o.mosaic_id
    ) AS withdrawn
FROM chosen AS c
WHERE
    CAST(:redo AS bool)
    OR (
        SELECT count(*) FROM roman.light_curve_block AS b
        WHERE
            b.exposure_id @> ARRAY[-c.mosaic_id] AND b.superseded_at IS NULL
            AND b.photometry_kind IN ('psf_mosaic', 'aperture_mosaic')
            AND NOT EXISTS (
                SELECT FROM roman.current_object AS o
                WHERE q3c_radial_query(o.ra, o.dec, c.ra, c.dec, c.radius)
                    AND (
                        o.first_catalog_version_id > b.catalog_version_id
                        OR EXISTS (
                            SELECT FROM roman.dropped_object AS d
                            WHERE d.object_id = o.object_id AND d.restored_by > b.catalog_version_id
                        )
                    )
            )
    ) < 2
ORDER BY c.time_mean_mjd_tdb, c.mosaic_id
