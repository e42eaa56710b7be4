-- Places of one object beside its catalogued one, exposure by exposure.
-- Grain: one row an exposure
-- Parameters:
--   object_id: identifier of the object
--   photometry_kind: as in roman.light_curve_block
SELECT a.optical_element, a.exposure_id, a.midpoint_bjd_tdb, a.offset_ra, a.offset_ra_err, a.offset_dec,
       a.offset_dec_err
FROM roman.astrometry_curve AS a
WHERE a.object_id = CAST(:object_id AS bigint) AND a.photometry_kind = CAST(:photometry_kind AS text)
ORDER BY a.optical_element, a.midpoint_bjd_tdb;
