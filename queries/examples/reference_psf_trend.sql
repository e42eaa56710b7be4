-- PSF of each reference image over time, detector by detector, with its trend and what it follows from.
-- Question: does the PSF of the references change, on which detectors, and where did its fit fail?
-- Parameters:
--   optical_element = F146: optical element
--   from_mjd = 0: first day, MJD TDB
--   to_mjd = 100000: first day that is left out
-- Note: means over the places of an image where nothing failed, arcsec; fwhm_change is against the image before,
--   fwhm_slope the trend of all images of the field and detector that are listed, arcsec a year. Images that are
--   older than release 0025 of the schema have no moments until they are made again.
WITH image AS (
    SELECT r.reference_image_id, avg(m.fwhm) AS fwhm, min(m.fwhm) AS least_fwhm, max(m.fwhm) AS largest_fwhm,
           avg(m.e1) AS e1, avg(m.e2) AS e2,
           avg(sqrt(m.m30 ^ 2 + m.m21 ^ 2 + m.m12 ^ 2 + m.m03 ^ 2)) AS third_moment,
           avg((m.m40 + m.m04) / 2) AS fourth_moment,
           count(*) FILTER (WHERE m.psf_flags <> 0) AS n_failed
    FROM roman.reference_image AS r
    LEFT JOIN roman.reference_psf_moment AS m ON m.reference_image_id = r.reference_image_id
    WHERE r.superseded_at IS NULL AND r.reference_kind = 'span' AND r.optical_element = CAST(:optical_element AS text)
      AND r.start_mjd >= CAST(:from_mjd AS integer) AND r.start_mjd < CAST(:to_mjd AS integer)
    GROUP BY r.reference_image_id
)
SELECT f.name AS field, r.detector, r.start_mjd, r.reference_image_id, i.fwhm, i.least_fwhm, i.largest_fwhm,
       i.fwhm - lag(i.fwhm) OVER (of_detector ORDER BY r.start_mjd) AS fwhm_change,
       regr_slope(i.fwhm, r.epoch_mjd_tdb / 365.25) OVER of_detector AS fwhm_slope,
       i.e1, i.e2, i.third_moment, i.fourth_moment, i.n_failed, r.psf_n_star, r.psf_reduced_chi2,
       r.psf_residual_fraction, r.psf_fraction_optics, r.psf_fraction_other_day
FROM image AS i
JOIN roman.reference_image AS r ON r.reference_image_id = i.reference_image_id
JOIN roman.field AS f ON f.field_id = r.field_id
WINDOW of_detector AS (PARTITION BY r.field_id, r.detector)
ORDER BY f.name, r.detector, r.start_mjd;
