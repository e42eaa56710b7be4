-- One spectrum, its file and what was fitted to it, without its pixels.
-- Reads: roman.spectrum, roman.redshift
-- Grain: one row, none where there is no such spectrum
-- Parameters:
--   spectrum_id: identifier of the spectrum
SELECT s.spectrum_id, s.spectrum_name, s.object_id, s.ra, s.dec, s.n_pixel, s.flux_is_absolute, s.facility_name,
       s.instrument_name, s.start_mjd_utc, s.end_mjd_utc, s.exposure_time, s.superseded_at,
       s.wavelength[1] AS shortest, s.wavelength[s.n_pixel] AS longest,
       s.resolution[(s.n_pixel + 1) / 2] AS resolution, r.z, r.z_err, r.class_name, r.subclass, r.reliability,
       r.reason, r.probability, r.chi2, r.chi2_scale, r.delta_chi2, r.n_pixel AS n_fitted
FROM roman.spectrum AS s LEFT JOIN roman.redshift AS r USING (spectrum_id)
WHERE s.spectrum_id = CAST(:spectrum_id AS bigint);
