-- Objects as they are catalogued now.
-- Grain: object
-- Reads: roman.current_object
SELECT object_id, ra, dec, ra_err, dec_err, ref_epoch, pm_ra, pm_dec, pm_ra_err, pm_dec_err, parallax, parallax_err,
       first_catalog_version_id, catalog_version_id
FROM roman.current_object
