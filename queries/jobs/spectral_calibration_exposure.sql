-- List the dispersed exposures from which references may be derived.
-- Grain: one row an exposure.
-- Reads: roman.exposure, roman.visit.
-- Parameters:
--   detector: detector, or null for all
--   optical_element: GRISM or PRISM, or null for both
--   program: programs whose exposures count, or null for all
SELECT e.exposure_id, e.midpoint_mjd_tdb
FROM roman.exposure AS e
JOIN roman.optical_element AS o ON o.optical_element = e.optical_element
LEFT JOIN roman.visit AS v ON v.visit_id = e.visit_id
WHERE
    o.kind = 'spectroscopic'
    AND e.detector = coalesce(CAST(:detector AS text), e.detector)
    AND e.optical_element = coalesce(CAST(:optical_element AS text), e.optical_element)
    AND (CAST(:program AS int[]) IS NULL OR v.program = ANY(CAST(:program AS int[])))
