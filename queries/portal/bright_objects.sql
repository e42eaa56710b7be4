-- Objects within a circle, the brightest first, for the view of the sky.
-- Grain: one row an object
-- Parameters:
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius: radius, deg
--   looked_at: objects that are looked at; where n_near is as many there are more, and the brightest are not known
--   most: most rows
WITH near AS MATERIALIZED (
    SELECT o.object_id, o.ra, o.dec FROM roman.current_object AS o
    WHERE q3c_radial_query(
        o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
        CAST(:radius AS double precision)
    )
    LIMIT CAST(:looked_at AS integer)
)
SELECT o.object_id, o.ra, o.dec, f.optical_element, f.ab_mag, (SELECT count(*) FROM near) AS n_near, EXISTS (
           SELECT FROM roman.event AS e WHERE e.object_id = o.object_id AND e.is_event
       ) AS has_event
FROM near AS o
LEFT JOIN LATERAL (
    SELECT f.optical_element, roman.ab_magnitude(f.psf_flux) AS ab_mag FROM roman.object_flux AS f
    WHERE f.object_id = o.object_id AND f.psf_flux > 0
    ORDER BY f.optical_element = 'F146' DESC, f.optical_element LIMIT 1
) AS f ON TRUE
ORDER BY f.ab_mag NULLS LAST, o.object_id LIMIT CAST(:most AS integer);
