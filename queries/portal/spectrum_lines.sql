-- Lines of a spectrum at its best redshift.
-- Reads: roman.line_measurement
-- Grain: one row a line
-- Parameters:
--   spectrum_id: identifier of the spectrum
SELECT l.line_name, l.wavelength, l.line_flux, l.line_flux_err, l.line_flux_limit, l.equivalent_width,
       l.equivalent_width_err, l.snr
FROM roman.line_measurement AS l
WHERE l.spectrum_id = CAST(:spectrum_id AS bigint)
ORDER BY l.wavelength;
