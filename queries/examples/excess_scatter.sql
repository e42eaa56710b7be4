-- Objects that vary most beyond their errors, from the summaries of all their blocks.
-- Question: which objects are variable?
-- Parameters:
--   optical_element = F146: optical element
--   from_mjd = 0: first day, MJD TDB
--   to_mjd = 100000: first day that is left out
--   min_points = 20: least number of points
--   limit = 100: most objects
-- Note: weighted means and second moments of the blocks merge exactly into those of all points (Chan, Golub &
--   LeVeque 1983), so that no point is read. reduced_chi2 is that about the mean; excess_scatter is what must
--   be added in quadrature to the errors to explain it, as a fraction of the flux, if all errors were alike.
WITH summary AS (
    SELECT s.object_id, s.n_point, s.sum_weight, s.mean_flux, s.weighted_m2,
           sum(s.sum_weight * s.mean_flux) OVER object / sum(s.sum_weight) OVER object AS object_mean
    FROM roman.light_curve_summary AS s
    JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    WHERE b.superseded_at IS NULL AND b.photometry_kind = 'psf'
      AND b.optical_element = CAST(:optical_element AS text)
      AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
      AND s.n_point > 0
    WINDOW object AS (PARTITION BY s.object_id)
), merged AS (
    SELECT object_id, sum(n_point) AS n_point, min(object_mean) AS mean_flux, sum(sum_weight) AS sum_weight,
           sum(weighted_m2 + sum_weight * (mean_flux - object_mean) ^ 2) AS weighted_m2
    FROM summary
    GROUP BY object_id
    HAVING sum(n_point) >= CAST(:min_points AS bigint)
)
SELECT object_id, n_point, mean_flux, roman.ab_magnitude(mean_flux) AS ab_mag,
       weighted_m2 / (n_point - 1) AS reduced_chi2,
       sqrt(greatest(weighted_m2 / (n_point - 1) - 1, 0) * n_point / sum_weight) / nullif(abs(mean_flux), 0)
           AS excess_scatter
FROM merged
ORDER BY reduced_chi2 DESC
LIMIT CAST(:limit AS bigint);
