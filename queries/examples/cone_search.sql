-- Objects within a circle on the sky, the nearest first.
-- Question: what is catalogued around this position, and how bright is it?
-- Parameters:
--   ra: right ascension of the centre, deg ICRS
--   dec: declination of the centre, deg ICRS
--   radius = 2: radius, arcsec
--   optical_element = F146: optical element of the flux
SELECT o.object_id, o.ra, o.dec,
       3600 * q3c_dist(o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision))
           AS distance_arcsec,
       f.psf_flux, roman.ab_magnitude(f.psf_flux) AS ab_mag
FROM roman.current_object AS o
LEFT JOIN roman.object_flux AS f
    ON f.object_id = o.object_id AND f.optical_element = CAST(:optical_element AS text)
WHERE q3c_radial_query(
    o.ra, o.dec, CAST(:ra AS double precision), CAST(:dec AS double precision),
    CAST(:radius AS double precision) / 3600
)
ORDER BY distance_arcsec;
