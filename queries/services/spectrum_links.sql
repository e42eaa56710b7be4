-- What there is of spectra: their object, the file that they were read from, and what was fitted.
-- Reads: roman.spectrum, roman.redshift, ops.input_file
-- Grain: spectrum
-- Parameters:
--   numbers: identifiers of spectra, as an array of integers
SELECT s.spectrum_id AS number, s.object_id, s.superseded_at IS NOT NULL AS is_superseded, f.path, f.size_bytes,
       r.z IS NOT NULL AS has_redshift
FROM roman.spectrum s
JOIN ops.input_file f USING (file_id)
LEFT JOIN roman.redshift r USING (spectrum_id)
WHERE s.spectrum_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY s.spectrum_id
