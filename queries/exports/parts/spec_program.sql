-- Programs whose spectra were combined, by optical element: there are files of each.
-- Reads: roman.spectral_extraction, roman.exposure, roman.visit, roman.program_spectrum
-- Grain: program, optical element and file
-- Parameters:
--   program: observing program; NULL for all
--   element: GRISM or PRISM; NULL for both
--   file_number: number of the file, from 1; NULL for all
WITH observed AS (
    SELECT DISTINCT v.program, e.optical_element
    FROM roman.spectral_extraction AS x
    JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
    JOIN roman.visit AS v ON v.visit_id = e.visit_id
    WHERE x.superseded_at IS NULL
        AND v.program = coalesce(CAST(:program AS integer), v.program)
        AND e.optical_element = coalesce(CAST(:element AS text), e.optical_element)
)
SELECT o.program, o.optical_element AS element, f.file_number
FROM observed AS o
CROSS JOIN LATERAL (
    SELECT DISTINCT s.file_number FROM roman.program_spectrum(o.program, o.optical_element) AS s
) AS f
WHERE f.file_number = coalesce(CAST(:file_number AS integer), f.file_number)
ORDER BY o.program, o.optical_element, f.file_number
