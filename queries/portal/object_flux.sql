-- Catalogued fluxes of one object.
-- Grain: one row an optical element
-- Parameters:
--   object_id: identifier of the object
SELECT f.optical_element, f.psf_flux, f.psf_flux_err, roman.ab_magnitude(f.psf_flux) AS ab_mag
FROM roman.object_flux AS f WHERE f.object_id = CAST(:object_id AS bigint) ORDER BY f.optical_element;
