-- Where constant stars lie: the cube root of reduced chi-square against magnitude, from a sample of the objects.
-- Grain: one row an optical element and cell of magnitude with enough stars.
-- Reads: roman.light_curve_summary, roman.light_curve_block, roman.dropped_object.
-- Writes: roman.variability_locus, where rows of the same season and kind must have been removed.
-- Parameters:
--   season: number that the rows get
--   photometry_kind: kind of the light curves
--   from_mjd: first day, MJD TDB
--   to_mjd: first day that is left out
--   one_in: every so many objects, by a hash of their identifier
--   step: height of a cell, mag
--   fewest: least number of stars of a cell
--   load_run_id: run that writes
-- Note: most stars are constant, so that the median is theirs. Variables lie above: the width is the distance of the
--   median from the percentile that is a standard deviation below it.
WITH piece AS (
    SELECT
        s.object_id, b.optical_element, s.n_point, s.sum_weight, s.mean_flux, s.weighted_m2,
        sum(s.sum_weight * s.mean_flux) OVER series / sum(s.sum_weight) OVER series AS series_mean
    FROM roman.light_curve_summary AS s
    JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    WHERE
        b.superseded_at IS NULL AND b.photometry_kind = CAST(:photometry_kind AS text)
        AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
        AND s.n_point > 0
        AND NOT EXISTS (
            SELECT FROM roman.dropped_object AS d WHERE d.object_id = s.object_id AND d.restored_by IS NULL
        )
        AND mod(abs(hashint8(s.object_id)::bigint), CAST(:one_in AS bigint)) = 0
    WINDOW series AS (PARTITION BY s.object_id, b.optical_element)
),

star AS (
    SELECT
        optical_element, roman.ab_magnitude(min(series_mean)) AS magnitude,
        (
            sum(weighted_m2 + sum_weight * (mean_flux - series_mean) ^ 2) / (sum(n_point) - 1)
        ) ^ (1 / 3.0) AS root
    FROM piece
    GROUP BY object_id, optical_element
    HAVING sum(n_point) > 2
)

INSERT INTO roman.variability_locus (
    season, photometry_kind, optical_element, magnitude, n_object, centre, width, load_run_id
)
SELECT
    CAST(:season AS smallint), CAST(:photometry_kind AS text), optical_element, avg(magnitude), count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY root),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY root) - percentile_cont(0.158655) WITHIN GROUP (ORDER BY root),
    CAST(:load_run_id AS bigint)
FROM star
WHERE magnitude IS NOT NULL
GROUP BY optical_element, floor(magnitude / CAST(:step AS float8))
HAVING count(*) >= CAST(:fewest AS bigint);
