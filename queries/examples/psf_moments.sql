-- Size and shape of the PSF nearest to a place on a detector, over time.
-- Question: is the telescope in focus, and did the PSF change during my event?
-- Parameters:
--   detector = WFI01: detector
--   optical_element = F146: optical element
--   x = 2044: detector column, 0-based
--   y = 2044: detector row, 0-based
SELECT p.psf_model_id, p.epoch_mjd_tdb, p.n_star, p.reduced_chi2, m.x, m.y, m.fwhm, m.e1, m.e2, m.m40, m.m04
FROM roman.psf_model AS p
CROSS JOIN LATERAL (
    SELECT * FROM roman.psf_moment AS at_node
    WHERE at_node.psf_model_id = p.psf_model_id
    ORDER BY (at_node.x - CAST(:x AS double precision)) ^ 2 + (at_node.y - CAST(:y AS double precision)) ^ 2
    LIMIT 1
) AS m
WHERE p.detector = CAST(:detector AS text) AND p.optical_element = CAST(:optical_element AS text)
  AND p.superseded_at IS NULL
ORDER BY p.epoch_mjd_tdb;
