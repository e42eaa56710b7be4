-- Objects whose light curves depart most from a constant flux, by object and optical element, from summaries alone.
-- Question: which objects vary, and from what they are in the static catalogs?
-- Parameters:
--   photometry_kind = psf: psf, psf_free, or aperture for extended objects; psf_mosaic, aperture_mosaic
--   from_mjd = 0: first day, MJD TDB
--   to_mjd = 100000: first day that is left out
--   min_points = 20: least number of points
--   min_index = 0: least variability_index
--   limit = 100: most rows
-- Note: means and second moments of the blocks merge exactly into those of all points (Chan, Golub & LeVeque 1983).
--   reduced_chi2 is that about the mean, static_reduced_chi2 that about the catalogued flux, empty where there is none.
--   variability_index is how many standard deviations chi2 about the mean lies above its expectation, after
--   Wilson & Hilferty (1931). excess_scatter must be added in quadrature to the errors, as a fraction of the flux.
WITH summary AS (
    SELECT
        s.object_id, b.optical_element, s.n_point, s.sum_weight, s.mean_flux, s.weighted_m2, s.reference_flux,
        sum(s.sum_weight * s.mean_flux) OVER series / sum(s.sum_weight) OVER series AS series_mean
    FROM roman.light_curve_summary AS s
    JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    WHERE b.superseded_at IS NULL AND b.photometry_kind = CAST(:photometry_kind AS text)
      AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
      AND s.n_point > 0
    WINDOW series AS (PARTITION BY s.object_id, b.optical_element)
), merged AS (
    SELECT
        object_id, optical_element, sum(n_point) AS n_point, min(series_mean) AS mean_flux,
        sum(sum_weight) AS sum_weight,
        sum(weighted_m2 + sum_weight * (mean_flux - series_mean) ^ 2) AS chi2,
        CASE
            WHEN bool_and(reference_flux IS NOT NULL)
                THEN sum(weighted_m2 + sum_weight * (mean_flux - reference_flux) ^ 2)
        END AS static_chi2,
        sum(sum_weight * reference_flux) / sum(sum_weight) AS static_flux
    FROM summary
    GROUP BY object_id, optical_element
    HAVING sum(n_point) >= greatest(CAST(:min_points AS bigint), 2)
), judged AS (
    SELECT
        *, chi2 / (n_point - 1) AS reduced_chi2, static_chi2 / n_point AS static_reduced_chi2,
        ((chi2 / (n_point - 1)) ^ (1 / 3.0) - 1 + 2 / (9.0 * (n_point - 1))) / sqrt(2 / (9.0 * (n_point - 1)))
            AS variability_index
    FROM merged
)
SELECT
    object_id, optical_element, n_point, mean_flux, static_flux, reduced_chi2, static_reduced_chi2,
    variability_index,
    sqrt(greatest(reduced_chi2 - 1, 0) * n_point / sum_weight) / nullif(abs(mean_flux), 0) AS excess_scatter
FROM judged
WHERE variability_index >= CAST(:min_index AS double precision)
ORDER BY variability_index DESC, object_id, optical_element
LIMIT CAST(:limit AS bigint);
