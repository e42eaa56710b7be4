-- Dispersed exposures whose spectra were extracted: there is a file of each.
-- Reads: roman.spectral_extraction, roman.exposure, roman.visit
-- Grain: exposure
-- Parameters:
--   exposure: name of the exposure, as of its file without _cal.asdf; NULL for all
--   program: observing program; NULL for all
--   detector: detector, such as WFI07; NULL for all
--   element: GRISM or PRISM; NULL for both
SELECT regexp_replace(e.filename, '_cal\.asdf$', '') AS exposure, e.exposure_id
FROM roman.spectral_extraction AS x
JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
JOIN roman.visit AS v ON v.visit_id = e.visit_id
WHERE x.superseded_at IS NULL
    AND regexp_replace(e.filename, '_cal\.asdf$', '')
        = coalesce(CAST(:exposure AS text), regexp_replace(e.filename, '_cal\.asdf$', ''))
    AND v.program = coalesce(CAST(:program AS integer), v.program)
    AND e.detector = coalesce(CAST(:detector AS text), e.detector)
    AND e.optical_element = coalesce(CAST(:element AS text), e.optical_element)
ORDER BY e.midpoint_mjd_tdb, e.exposure_id
