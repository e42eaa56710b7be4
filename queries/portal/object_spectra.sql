-- Current spectra of one object, the most reliable redshift first, with the pixels of a small picture.
-- Reads: roman.spectrum, roman.redshift
-- Grain: one row a spectrum
-- Parameters:
--   object_id: identifier of the object
--   most: most of them
SELECT s.spectrum_id, s.spectrum_name, s.facility_name, s.instrument_name, s.wavelength, s.flux, s.mask,
       r.z, r.z_err, r.class_name, r.reliability
FROM roman.spectrum AS s LEFT JOIN roman.redshift AS r USING (spectrum_id)
WHERE s.object_id = CAST(:object_id AS bigint) AND s.superseded_at IS NULL
ORDER BY r.reliability DESC NULLS LAST, s.spectrum_id
LIMIT CAST(:most AS integer);
