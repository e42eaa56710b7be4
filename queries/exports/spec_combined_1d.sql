-- Spectra of objects combined of all exposures of an optical element that they are on.
-- Grain: object
-- Reads: roman.program_spectrum, roman.spectrum
-- Parameters:
--   program: observing program
--   element: GRISM or PRISM
--   file_number: number of the file, from 1
SELECT s.object_id, s.spectrum_id, s.ra, s.dec, s.n_exposure, s.n_pixel, s.wavelength, s.flux, s.flux_err, s.mask,
       coalesce(s.resolution, array_fill(CAST('NaN' AS real), ARRAY[s.n_pixel])) AS resolution
FROM roman.program_spectrum(CAST(:program AS integer), CAST(:element AS text)) AS p
JOIN roman.spectrum AS s ON s.spectrum_id = p.spectrum_id
WHERE p.file_number = CAST(:file_number AS integer)
ORDER BY s.object_id
