-- Objects of the current catalog within a circle, the nearest first.
-- Grain: one row an object
-- Parameters:
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius: radius, arcsec
--   most: most rows
SELECT o.object_id, o.ra, o.dec,
       3600 * q3c_dist(o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision)) AS distance
FROM roman.current_object AS o
WHERE q3c_radial_query(
    o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
    CAST(:radius AS double precision) / 3600
)
ORDER BY distance, o.object_id LIMIT CAST(:most AS integer);
