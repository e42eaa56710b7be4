-- Objects of a field on a detector with light curves in an optical element, as they are catalogued now.
-- Grain: object
-- Reads: roman.field, roman.season, roman.light_curve_block, roman.light_curve_segment,
--   roman.current_object, roman.object_flux
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   kind: kind of photometry
WITH scope AS (
    SELECT f.field_id, s.start_mjd, s.end_mjd
    FROM roman.field f
    LEFT JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text) AND (s.season IS NOT NULL OR CAST(:season AS smallint) = 0)
), seen AS (
    SELECT DISTINCT g.object_id
    FROM scope
    JOIN roman.light_curve_block b ON b.field_id = scope.field_id
        AND b.start_mjd >= coalesce(scope.start_mjd, b.start_mjd) AND b.end_mjd <= coalesce(scope.end_mjd, b.end_mjd)
    JOIN roman.light_curve_segment g ON g.block_id = b.block_id AND g.start_mjd = b.start_mjd
    WHERE b.detector = CAST(:detector AS text) AND b.optical_element = CAST(:element AS text)
        AND b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
)
SELECT o.object_id, o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_dec, o.pm_ra_err, o.pm_dec_err,
       o.parallax, o.parallax_err, f.optical_element, f.psf_flux, f.psf_flux_err, o.first_catalog_version_id,
       o.catalog_version_id
FROM seen
JOIN roman.current_object o ON o.object_id = seen.object_id
LEFT JOIN roman.object_flux f ON f.object_id = o.object_id AND f.optical_element = CAST(:element AS text)
ORDER BY o.object_id
