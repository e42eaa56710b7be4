-- A spectrum with its pixels and its redshift, also one that is superseded.
-- Reads: roman.spectrum, roman.redshift
-- Grain: spectrum
-- Parameters:
--   spectrum_id: its identifier
SELECT s.spectrum_id, s.object_id, s.spectrum_name, s.ra, s.dec, s.wavelength, s.flux, s.flux_err, s.mask,
       s.resolution, s.flux_is_absolute, s.facility_name, s.instrument_name, s.start_mjd_utc, s.end_mjd_utc,
       s.exposure_time, r.z, r.z_err, r.class_name, r.reliability
FROM roman.spectrum s
LEFT JOIN roman.redshift r USING (spectrum_id)
WHERE s.spectrum_id = CAST(:spectrum_id AS bigint)
