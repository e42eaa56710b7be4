-- Objects of a field on a detector with what was measured of them in an optical element in a period of eight days.
-- Grain: object
-- Reads: roman.field, roman.season, roman.light_curve_block, roman.light_curve_summary, roman.object
-- Units: mean_flux nJy, mean_flux_err nJy, min_flux nJy, max_flux nJy
-- Parameters:
--   season: season of the survey, from 1
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   sequence: period of eight days of the season, from 1
--   kind: kind of photometry
WITH scope AS (
    SELECT f.field_id, s.start_mjd + 8 * (CAST(:sequence AS integer) - 1) AS start_mjd,
           least(s.end_mjd, s.start_mjd + 8 * CAST(:sequence AS integer)) AS end_mjd
    FROM roman.field f
    JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text)
), part AS (
    SELECT m.object_id, m.n_point, m.n_flagged, m.sum_weight, m.mean_flux, m.weighted_m2, m.min_flux, m.max_flux,
           m.longest_run,
           sum(m.sum_weight * m.mean_flux) OVER (PARTITION BY m.object_id)
           / nullif(sum(m.sum_weight) OVER (PARTITION BY m.object_id), 0) AS whole_mean
    FROM scope
    JOIN roman.light_curve_block b
        ON b.field_id = scope.field_id AND b.start_mjd >= scope.start_mjd AND b.end_mjd <= scope.end_mjd
    JOIN roman.light_curve_summary m ON m.block_id = b.block_id AND m.start_mjd = b.start_mjd
    WHERE b.detector = CAST(:detector AS text) AND b.optical_element = CAST(:element AS text)
        AND b.photometry_kind = CAST(:kind AS text) AND b.superseded_at IS NULL
), whole AS (
    SELECT object_id, sum(n_point) AS n_point, sum(n_flagged) AS n_flagged, min(whole_mean) AS mean_flux,
           1 / sqrt(nullif(sum(sum_weight), 0)) AS mean_flux_err,
           sum(weighted_m2 + coalesce(sum_weight * (mean_flux - whole_mean) ^ 2, 0)) AS chi2,
           min(min_flux) AS min_flux, max(max_flux) AS max_flux
    FROM part GROUP BY object_id
)
SELECT o.object_id, o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, w.n_point, w.n_flagged, w.mean_flux, w.mean_flux_err,
       w.chi2 / nullif(w.n_point - 1, 0) AS reduced_chi2, w.min_flux, w.max_flux
FROM whole w JOIN roman.object o ON o.object_id = w.object_id
ORDER BY o.object_id
