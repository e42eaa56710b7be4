-- What there is of objects: light curves, events, spectra, and reference images that cover them.
-- Reads: roman.object, roman.light_curve_segment, roman.light_curve_block, roman.event, roman.spectrum,
--     roman.reference_image
-- Grain: object
-- Parameters:
--   numbers: identifiers of objects, as an array of integers
SELECT o.object_id AS number, o.ra, o.dec,
       ARRAY(
           SELECT DISTINCT b.optical_element
           FROM roman.light_curve_segment s
           JOIN roman.light_curve_block b
               ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
           WHERE s.object_id = o.object_id
           ORDER BY 1
       ) AS optical_elements,
       ARRAY(
           SELECT v.event_id FROM roman.event v WHERE v.object_id = o.object_id AND v.is_event ORDER BY 1
       ) AS event_ids,
       ARRAY(
           SELECT p.spectrum_id FROM roman.spectrum p
           WHERE p.object_id = o.object_id AND p.superseded_at IS NULL ORDER BY 1
           LIMIT 100
       ) AS spectrum_ids,
       ARRAY(
           SELECT r.reference_image_id
           FROM roman.reference_image r
           WHERE r.superseded_at IS NULL AND r.footprint @> adql.healpix_index(29, o.ra, o.dec)
           ORDER BY r.optical_element, r.epoch_mjd_tdb DESC
           LIMIT 100
       ) AS reference_image_ids
FROM roman.object o
WHERE o.object_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY o.object_id
