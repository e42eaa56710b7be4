-- Fluxes of objects in the optical elements of a catalog, counted from one in the order that is given.
-- Grain: object and optical element
-- Reads: roman.object_flux
-- Parameters:
--   elements: optical elements, as an array
SELECT object_id, CAST(array_position(CAST(:elements AS text[]), optical_element) AS smallint) AS element,
       psf_flux, psf_flux_err, catalog_version_id
FROM roman.object_flux
