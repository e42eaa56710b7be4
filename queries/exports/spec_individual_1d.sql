-- Spectra of all objects on a dispersed exposure, others taken off; and why others have none.
-- Grain: object
-- Reads: roman.spectral_extraction, roman.exposure_spectrum, roman.object
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT s.object_id, o.ra, o.dec, s.warning, s.reason, s.n_pixel, s.wavelength, s.flux, s.flux_err, s.contamination,
       s.contamination_median, s.snr, s.lsf_fwhm
FROM roman.exposure_spectrum AS s
JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = s.spectral_extraction_id
JOIN roman.object AS o ON o.object_id = s.object_id
WHERE x.exposure_id = CAST(:exposure_id AS bigint) AND x.superseded_at IS NULL
ORDER BY s.object_id
