-- Keywords of RAD's schemas for a file of the combined spectra of a program in an optical element.
-- Reads: roman.program_spectrum, roman.spectrum, roman.spectrum_part, roman.spectral_extraction, roman.exposure,
--   roman.field, roman.optical_element, roman.spectrum_location, ops.load_run
-- Grain: one row; what cannot be known is empty
-- Parameters:
--   program: observing program
--   element: GRISM or PRISM
--   file_number: number of the file, from 1
WITH member AS (
    SELECT p.spectrum_id, p.object_id, p.file_number, s.load_run_id
    FROM roman.program_spectrum(CAST(:program AS integer), CAST(:element AS text)) AS p
    JOIN roman.spectrum AS s ON s.spectrum_id = p.spectrum_id
), part AS (
    SELECT DISTINCT x.*
    FROM member
    JOIN roman.spectrum_part AS p ON p.spectrum_id = member.spectrum_id
    JOIN roman.spectral_extraction AS x ON x.spectral_extraction_id = p.spectral_extraction_id
    WHERE member.file_number = CAST(:file_number AS integer)
), observed AS (
    SELECT min(e.exposure_start_time) AS first_start, max(e.exposure_end_time) AS last_end,
           range_agg(e.footprint) AS footprint, max(part.reference_wavelength) AS reference_wavelength,
           max(greatest(part.geometry_reference_id, part.sensitivity_reference_id, part.flat_reference_id)) AS cdp_ctx,
           atan2d(avg(sind(coalesce(f.ra, e.ra))), avg(cosd(coalesce(f.ra, e.ra)))) AS ra,
           avg(coalesce(f.dec, e.dec)) AS dec
    FROM part
    JOIN roman.exposure AS e ON e.exposure_id = part.exposure_id
    LEFT JOIN roman.field AS f ON f.field_id = e.field_id
), light AS (
    SELECT min(l.wavelength_min) AS shortest, max(l.wavelength_max) AS longest
    FROM part
    JOIN roman.spectrum_location AS l ON l.spectral_extraction_id = part.spectral_extraction_id
    WHERE l.spectral_order = 1
)
SELECT CAST(:program AS integer) AS program, lower(b.optical_element) AS optical_element,
       CAST(:file_number AS integer) AS file_number, m.catalog_id,
       (extract(epoch FROM o.first_start) / 86400 + 40587)::double precision AS visit_start_time_mjd,
       (extract(epoch FROM o.last_end) / 86400 + 40587)::double precision AS visit_end_time_mjd,
       o.ra - 360 * floor(o.ra / 360) AS wcs_field_center_ra, o.dec AS wcs_field_center_dec,
       r.code_version AS version_g2dp_software, CAST(r.load_run_id AS text) AS g2dp_run_id, o.cdp_ctx,
       '[' || round(CAST(light.shortest AS numeric), 4) || ', ' || round(CAST(light.longest AS numeric), 4) || ']'
           AS wl_contamination_range,
       '[' || round(CAST(light.shortest AS numeric), 4) || ', ' || round(CAST(light.longest AS numeric), 4) || ']'
           AS wl_snr_global_range,
       coalesce(o.reference_wavelength, b.wavelength_pivot) AS wl_reference,
       '10**-20.W.m**-2.um**-1' AS unit_flux, 'um' AS unit_wl, 'none' AS phot_filter_cut_off,
       (SELECT array_agg(lower(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_first,
       (SELECT array_agg(upper(piece) ORDER BY piece) FROM unnest(o.footprint) AS piece) AS footprint_end
FROM (SELECT max(spectrum_id) AS catalog_id, max(load_run_id) AS load_run_id FROM member) AS m
JOIN ops.load_run AS r ON r.load_run_id = m.load_run_id
JOIN roman.optical_element AS b ON b.optical_element = CAST(:element AS text)
CROSS JOIN observed AS o
CROSS JOIN light
