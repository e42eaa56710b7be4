-- Light curves of all objects within a circle, one row per object and optical element, as arrays.
-- Question: how did everything around this position vary?
-- Parameters:
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius = 10: radius, arcsec
--   optical_element = F146: optical element
-- Note: the objects are picked first, as an array, so that every partition is read by its index.
SELECT object_id, n_epoch, midpoint_bjd_tdb, flux, flux_err
FROM roman.light_curve_array
WHERE object_id = ANY(ARRAY(
    SELECT object_id FROM roman.current_object
    WHERE q3c_radial_query(
        ra, dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
        CAST(:radius AS double precision) / 3600
    )
))
  AND optical_element = CAST(:optical_element AS text);
