-- Current point spread functions of the library, with size and ellipticity in the middle of their nodes.
-- Question: which PSFs does the photometry use, how good are they, and how does the PSF change?
SELECT
    p.psf_model_id, p.detector, p.optical_element, p.epoch_mjd_tdb, p.n_star, p.reduced_chi2,
    avg(m.fwhm) AS fwhm, avg(m.sigma) AS sigma, avg(m.e1) AS e1, avg(m.e2) AS e2
FROM roman.psf_model AS p
LEFT JOIN roman.psf_moment AS m ON m.psf_model_id = p.psf_model_id
WHERE p.superseded_at IS NULL
GROUP BY p.psf_model_id
ORDER BY p.detector, p.optical_element, p.epoch_mjd_tdb
