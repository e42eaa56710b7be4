-- Keywords of RAD's schemas for the spectra of a dispersed exposure.
-- Reads: roman.spectral_extraction, roman.exposure, roman.visit, roman.field, roman.optical_element,
--   roman.calibration_reference, roman.spectrum_location, ops.input_file, ops.load_run
-- Grain: one row, or none where nothing was extracted; what cannot be known is empty
-- Parameters:
--   exposure_id: identifier of the exposure
SELECT v.program, v.segment, v.visit, v.visit_id AS observation_id, e.exposure, e.exposure AS dither, e.detector,
       lower(e.optical_element) AS optical_element, e.exposure_time AS exptime,
       (extract(epoch FROM e.exposure_start_time) / 86400 + 40587)::double precision AS visit_start_time_mjd,
       (extract(epoch FROM e.exposure_end_time) / 86400 + 40587)::double precision AS visit_end_time_mjd,
       e.v3yangle, coalesce(f.ra, e.ra) AS wcs_field_center_ra, coalesce(f.dec, e.dec) AS wcs_field_center_dec,
       e.s_region, r.code_version AS version_g2dp_software, CAST(r.load_run_id AS text) AS g2dp_run_id,
       greatest(x.geometry_reference_id, x.sensitivity_reference_id, x.flat_reference_id) AS cdp_ctx,
       i.filename AS optical_model, w.num_src, x.cutout_path AS file_path, x.cutout_sha256 AS file_sha256,
       '[' || round(CAST(w.shortest AS numeric), 4) || ', ' || round(CAST(w.longest AS numeric), 4) || ']'
           AS wl_contamination_range,
       '[' || round(CAST(w.shortest AS numeric), 4) || ', ' || round(CAST(w.longest AS numeric), 4) || ']'
           AS wl_snr_global_range,
       coalesce(x.reference_wavelength, b.wavelength_pivot) AS wl_reference,
       '10**-20.W.m**-2.um**-1' AS unit_flux, 'um' AS unit_wl, 'none' AS phot_filter_cut_off,
       (SELECT array_agg(lower(piece) ORDER BY piece) FROM unnest(e.footprint) AS piece) AS footprint_first,
       (SELECT array_agg(upper(piece) ORDER BY piece) FROM unnest(e.footprint) AS piece) AS footprint_end
FROM roman.spectral_extraction AS x
JOIN ops.load_run AS r ON r.load_run_id = x.load_run_id
JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
JOIN roman.visit AS v ON v.visit_id = e.visit_id
JOIN roman.optical_element AS b ON b.optical_element = e.optical_element
LEFT JOIN roman.field AS f ON f.field_id = e.field_id
LEFT JOIN roman.calibration_reference AS g ON g.calibration_reference_id = x.geometry_reference_id
LEFT JOIN ops.input_file AS i ON i.file_id = g.file_id
CROSS JOIN LATERAL (
    SELECT count(DISTINCT l.object_id) AS num_src,
           min(l.wavelength_min) FILTER (WHERE l.spectral_order = 1) AS shortest,
           max(l.wavelength_max) FILTER (WHERE l.spectral_order = 1) AS longest
    FROM roman.spectrum_location AS l WHERE l.spectral_extraction_id = x.spectral_extraction_id
) AS w
WHERE x.exposure_id = CAST(:exposure_id AS bigint) AND x.superseded_at IS NULL
