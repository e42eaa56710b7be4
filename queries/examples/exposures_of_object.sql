-- Exposures whose pixels cover an object, whether or not it was photometered in them.
-- Question: when was this star observed?
-- Parameters:
--   object_id: identifier of the object
-- Note: the identifier of an object is the HEALPix pixel (order 29, nested) in which it lies, and the
--   footprint of an exposure is a set of such pixels.
SELECT exposure_id, optical_element, detector, midpoint_bjd_tdb, exposure_time, filename
FROM roman.exposure
WHERE footprint @> CAST(:object_id AS bigint)
ORDER BY midpoint_mjd_tdb;
