-- Fluxes of all objects, as they are catalogued now.
-- Reads: roman.object_flux
SELECT t.* FROM roman.object_flux AS t
