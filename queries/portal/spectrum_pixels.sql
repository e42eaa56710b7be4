-- Pixels of a spectrum, and the quantiles of its redshift, in arrays.
-- Reads: roman.spectrum, roman.redshift
-- Grain: one row, none where there is no such spectrum
-- Parameters:
--   spectrum_id: identifier of the spectrum
SELECT s.wavelength, s.flux, s.flux_err, s.mask, r.quantile, r.z
FROM roman.spectrum AS s LEFT JOIN roman.redshift AS r USING (spectrum_id)
WHERE s.spectrum_id = CAST(:spectrum_id AS bigint);
