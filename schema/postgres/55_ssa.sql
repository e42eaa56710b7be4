-- Spectra in the words of Simple Spectral Access 1.1; what the columns mean stands in schema/views/ssa.yaml.

-- Address of a spectrum, as VOTable unless RESPONSEFORMAT follows.
CREATE OR REPLACE FUNCTION ivoa.spectrum_url(spectrum_id bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT ivoa.service_url() || '/ssa/data?ID=' || replace(ivoa.publisher_did('spectrum/' || spectrum_id), '?', '%3F')
$$;

CREATE OR REPLACE VIEW ivoa.ssa AS
SELECT s.spectrum_id, s.object_id, ivoa.publisher_did('spectrum/' || s.spectrum_id) AS obs_publisher_did,
       ivoa.spectrum_url(s.spectrum_id) AS access_url,
       'application/x-votable+xml'::text AS access_format,
       (8000 + 30 * s.n_pixel)::bigint AS access_estsize,
       format('Spectrum %s of %s', s.spectrum_id, s.spectrum_name) AS title,
       CASE WHEN lower(s.facility_name) = 'roman' THEN 'roman_wfi' ELSE 'external' END AS collection,
       s.facility_name, s.instrument_name, s.spectrum_name AS target_name,
       ARRAY[coalesce(o.ra, s.ra), coalesce(o."dec", s."dec")] AS target_pos,
       r.class_name AS target_class, r.z, r.z_err, r.reliability, s.n_pixel, s.ra AS s_ra, s."dec" AS s_dec,
       ARRAY[s.ra, s."dec"] AS s_pos,
       (s.start_mjd_utc + s.end_mjd_utc) / 2 AS t_mid, s.start_mjd_utc AS t_min, s.end_mjd_utc AS t_max,
       s.exposure_time AS t_exptime,
       1e-6 * (s.wavelength[1] + s.wavelength[s.n_pixel]) / 2 AS em_mid,
       1e-6 * (s.wavelength[s.n_pixel] - s.wavelength[1]) AS em_width,
       1e-6 * s.wavelength[1] AS em_min, 1e-6 * s.wavelength[s.n_pixel] AS em_max,
       s.resolution[(s.n_pixel + 1) / 2]::double precision AS em_res_power,
       CASE WHEN s.flux_is_absolute THEN 'ABSOLUTE' ELSE 'UNCALIBRATED' END AS flux_calibration
FROM roman.spectrum s
LEFT JOIN roman.object o USING (object_id)
LEFT JOIN roman.redshift r USING (spectrum_id)
WHERE s.superseded_at IS NULL;
