-- Light curve of one object, one row a point, in order of time.
-- Question: how bright was this star, and when?
-- Parameters:
--   object_id: identifier of the object
--   from_mjd = 0: first day, MJD TDB; it spares the server the seasons before
--   to_mjd = 100000: first day that is left out
SELECT optical_element, photometry_kind, exposure_id, midpoint_bjd_tdb,
       flux, flux_err, ab_mag, ab_mag_err, flags
FROM roman.light_curve
WHERE object_id = CAST(:object_id AS bigint)
  AND start_mjd >= CAST(:from_mjd AS integer) AND start_mjd < CAST(:to_mjd AS integer)
ORDER BY midpoint_mjd_tdb;
