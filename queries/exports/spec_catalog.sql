-- Redshifts, classes and lines of combined spectra.
-- Lists of lines have all lines of the file, in all rows the same; NaN where a line is not within a spectrum.
-- Grain: object
-- Reads: roman.program_spectrum, roman.spectrum, roman.redshift, roman.redshift_alternative, roman.line_measurement
-- Units: line_wavelength um, line_flux 10**-20.W.m**-2, line_flux_err 10**-20.W.m**-2, line_flux_limit 10**-20.W.m**-2,
--   line_equivalent_width um, line_equivalent_width_err um
-- Parameters:
--   program: observing program
--   element: GRISM or PRISM
--   file_number: number of the file, from 1
WITH member AS (
    SELECT p.spectrum_id
    FROM roman.program_spectrum(CAST(:program AS integer), CAST(:element AS text)) AS p
    WHERE p.file_number = CAST(:file_number AS integer)
), line AS (
    SELECT DISTINCT m.line_name, m.wavelength FROM member JOIN roman.line_measurement AS m USING (spectrum_id)
), measured AS (
    SELECT member.spectrum_id, array_agg(line.line_name ORDER BY line.wavelength, line.line_name) AS line_name,
           array_agg(line.wavelength ORDER BY line.wavelength, line.line_name) AS line_wavelength,
           array_agg(coalesce(m.line_flux, 'NaN') ORDER BY line.wavelength, line.line_name) AS line_flux,
           array_agg(coalesce(m.line_flux_err, 'NaN') ORDER BY line.wavelength, line.line_name) AS line_flux_err,
           array_agg(coalesce(m.line_flux_limit, 'NaN') ORDER BY line.wavelength, line.line_name) AS line_flux_limit,
           array_agg(coalesce(m.equivalent_width, 'NaN') ORDER BY line.wavelength, line.line_name)
               AS line_equivalent_width,
           array_agg(coalesce(m.equivalent_width_err, 'NaN') ORDER BY line.wavelength, line.line_name)
               AS line_equivalent_width_err,
           array_agg(coalesce(m.snr, 'NaN') ORDER BY line.wavelength, line.line_name) AS line_snr
    FROM member
    CROSS JOIN line
    LEFT JOIN roman.line_measurement AS m ON m.spectrum_id = member.spectrum_id AND m.line_name = line.line_name
    GROUP BY member.spectrum_id
)
SELECT s.object_id, s.spectrum_id, s.ra, s.dec, s.n_exposure, r.z, r.z_err, r.class_name, r.subclass, r.reliability,
       r.warning, r.reason, r.probability, r.chi2, r.chi2_scale, r.delta_chi2, r.n_pixel,
       coalesce(r.quantile, array_fill(CAST('NaN' AS real), ARRAY[100])) AS quantile,
       a.z AS second_z, a.z_err AS second_z_err, a.class_name AS second_class_name, a.probability AS second_probability,
       coalesce(l.line_name, '{}') AS line_name, coalesce(l.line_wavelength, '{}') AS line_wavelength,
       coalesce(l.line_flux, '{}') AS line_flux, coalesce(l.line_flux_err, '{}') AS line_flux_err,
       coalesce(l.line_flux_limit, '{}') AS line_flux_limit,
       coalesce(l.line_equivalent_width, '{}') AS line_equivalent_width,
       coalesce(l.line_equivalent_width_err, '{}') AS line_equivalent_width_err,
       coalesce(l.line_snr, '{}') AS line_snr
FROM member
JOIN roman.spectrum AS s ON s.spectrum_id = member.spectrum_id
JOIN roman.redshift AS r ON r.spectrum_id = s.spectrum_id
LEFT JOIN roman.redshift_alternative AS a ON a.spectrum_id = s.spectrum_id AND a.rank = 2
LEFT JOIN measured AS l ON l.spectrum_id = s.spectrum_id
ORDER BY s.object_id
