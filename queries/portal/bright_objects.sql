-- Objects within a circle, the brightest first, for the view of the sky.
-- Grain: one row an object
-- Parameters:
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius: radius, deg
--   most: most rows
SELECT o.object_id, o.ra, o.dec, f.optical_element, f.ab_mag, EXISTS (
           SELECT FROM roman.event AS e WHERE e.object_id = o.object_id AND e.is_event
       ) AS has_event
FROM roman.current_object AS o
LEFT JOIN LATERAL (
    SELECT f.optical_element, roman.ab_magnitude(f.psf_flux) AS ab_mag FROM roman.object_flux AS f
    WHERE f.object_id = o.object_id AND f.psf_flux > 0
    ORDER BY f.optical_element = 'F146' DESC, f.optical_element LIMIT 1
) AS f ON TRUE
WHERE q3c_radial_query(
    o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
    CAST(:radius AS double precision)
)
ORDER BY f.ab_mag NULLS LAST, o.object_id LIMIT CAST(:most AS integer);
