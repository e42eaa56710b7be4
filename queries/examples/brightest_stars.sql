-- Brightest objects of a survey field in one optical element.
-- Question: which stars of the field are bright enough for my study?
-- Parameters:
--   field = gbtds-1: name of the field
--   optical_element = F146: optical element
--   limit = 100: most objects
SELECT o.object_id, o.ra, o.dec, b.psf_flux, roman.ab_magnitude(b.psf_flux) AS ab_mag
FROM roman.field AS f
JOIN roman.current_object AS o ON q3c_join(f.ra, f.dec, o.ra, o.dec, f.radius)
JOIN roman.object_flux AS b ON b.object_id = o.object_id
WHERE f.name = CAST(:field AS text) AND b.optical_element = CAST(:optical_element AS text) AND b.psf_flux > 0
ORDER BY b.psf_flux DESC
LIMIT CAST(:limit AS bigint);
