-- Statistics of the light curves of a season, from the summaries of their blocks alone.
-- Grain: one row an object, optical element and kind that has a point.
-- Reads: roman.light_curve_summary, roman.light_curve_block, roman.dropped_object, roman.variability_locus.
-- Writes: roman.variability, where rows of the same season, kind and objects must have been removed.
-- Parameters:
--   season: number that the rows get
--   photometry_kind: kind of the light curves
--   from_mjd: first day, MJD TDB
--   to_mjd: first day that is left out
--   first_object: least object_id
--   last_object: greatest object_id
--   load_run_id: run that writes
--   threshold: variability_index from which an object is variable
-- Note: moments merge exactly into those of all points (Chan, Golub & LeVeque 1983; Pébay 2008). A run goes on through
--   blocks of which all points belong to it. For constant stars the cube root of reduced_chi2 is nearly normal with the
--   variance 2 / 9 (n - 1) (Wilson & Hilferty 1931); variability_index counts from where roman.variability_locus has
--   constant stars of the brightness, in that width or the locus's own, whichever is larger.
WITH piece AS (
    SELECT
        s.object_id, b.optical_element, s.n_point, s.sum_weight, s.mean_flux, s.weighted_m2, s.unweighted_mean,
        s.unweighted_m2 AS m2, s.unweighted_m3 AS m3, s.unweighted_m4 AS m4, s.min_flux, s.max_flux,
        s.sum_squared_difference, s.longest_run, s.leading_run, s.trailing_run,
        s.leading_run = s.n_point AS is_whole,
        s.first_flux::float8 - lag(s.last_flux::float8) OVER series AS step,
        sum(s.sum_weight * s.mean_flux) OVER everything / sum(s.sum_weight) OVER everything AS series_mean,
        sum(s.n_point * s.unweighted_mean) OVER everything / sum(s.n_point) OVER everything AS plain_mean,
        count(*) FILTER (WHERE s.leading_run < s.n_point) OVER series AS island
    FROM roman.light_curve_summary AS s
    JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    WHERE
        b.superseded_at IS NULL AND b.photometry_kind = CAST(:photometry_kind AS text)
        AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
        AND s.object_id BETWEEN CAST(:first_object AS bigint) AND CAST(:last_object AS bigint)
        AND s.n_point > 0
        AND NOT EXISTS (
            SELECT FROM roman.dropped_object AS d WHERE d.object_id = s.object_id AND d.restored_by IS NULL
        )
    WINDOW
        everything AS (PARTITION BY s.object_id, b.optical_element),
        series AS (PARTITION BY s.object_id, b.optical_element ORDER BY s.first_mjd_tdb)
),

-- A run over several blocks: the end of one, all of some, and the beginning of another. Moments of an island are kept
-- with it, since a join of runs with moments is quadratic where the planner takes the light curves for few.
island AS (
    SELECT
        object_id, optical_element, island,
        sum(CASE WHEN is_whole THEN n_point ELSE trailing_run END) AS run,
        max(leading_run) FILTER (WHERE NOT is_whole) AS first_run,
        sum(n_point)::float8 AS n,
        sum(sum_weight) AS weight,
        min(series_mean) AS mean_flux,
        min(min_flux) AS min_flux,
        max(max_flux) AS max_flux,
        sum(weighted_m2 + sum_weight * (mean_flux - series_mean) ^ 2) AS chi2,
        sum(m2 + n_point * (unweighted_mean - plain_mean) ^ 2) AS m2,
        sum(
            m3 + 3 * (unweighted_mean - plain_mean) * m2 + n_point * (unweighted_mean - plain_mean) ^ 3
        ) AS m3,
        sum(
            m4 + 4 * (unweighted_mean - plain_mean) * m3 + 6 * (unweighted_mean - plain_mean) ^ 2 * m2
            + n_point * (unweighted_mean - plain_mean) ^ 4
        ) AS m4,
        sum(sum_squared_difference + coalesce(step ^ 2, 0)) AS steps,
        max(longest_run) AS longest_run
    FROM piece
    GROUP BY object_id, optical_element, island
),

joined AS (
    SELECT
        *, run + coalesce(lead(first_run) OVER (PARTITION BY object_id, optical_element ORDER BY island), 0) AS joined_run
    FROM island
),

merged AS (
    SELECT
        object_id, optical_element, sum(n) AS n, sum(weight) AS weight, min(mean_flux) AS mean_flux,
        min(min_flux) AS min_flux, max(max_flux) AS max_flux, sum(chi2) AS chi2, sum(m2) AS m2, sum(m3) AS m3,
        sum(m4) AS m4, sum(steps) AS steps, greatest(max(longest_run), max(joined_run)) AS run
    FROM joined
    GROUP BY object_id, optical_element
),

described AS (
    SELECT
        *, chi2 / nullif(n - 1, 0) AS reduced_chi2, coalesce(roman.ab_magnitude(mean_flux), 99) AS magnitude
    FROM merged
),

-- The locus between the cells on either side; beyond the last ones it is that of the last.
placed AS (
    SELECT
        d.*,
        CASE
            WHEN below.magnitude IS NULL OR above.magnitude IS NULL OR below.magnitude = above.magnitude THEN 0
            ELSE (d.magnitude - below.magnitude) / (above.magnitude - below.magnitude)
        END AS share,
        coalesce(below.centre, above.centre) AS low_centre, coalesce(above.centre, below.centre) AS high_centre,
        coalesce(below.width, above.width) AS low_width, coalesce(above.width, below.width) AS high_width
    FROM described AS d
    LEFT JOIN LATERAL (
        SELECT l.magnitude, l.centre, l.width FROM roman.variability_locus AS l
        WHERE
            l.season = CAST(:season AS smallint) AND l.photometry_kind = CAST(:photometry_kind AS text)
            AND l.optical_element = d.optical_element AND l.magnitude <= d.magnitude
        ORDER BY l.magnitude DESC LIMIT 1
    ) AS below ON TRUE
    LEFT JOIN LATERAL (
        SELECT l.magnitude, l.centre, l.width FROM roman.variability_locus AS l
        WHERE
            l.season = CAST(:season AS smallint) AND l.photometry_kind = CAST(:photometry_kind AS text)
            AND l.optical_element = d.optical_element AND l.magnitude > d.magnitude
        ORDER BY l.magnitude LIMIT 1
    ) AS above ON TRUE
),

judged AS (
    SELECT
        *,
        (
            reduced_chi2 ^ (1 / 3.0)
            - coalesce(low_centre + share * (high_centre - low_centre), 1 - 2 / (9.0 * nullif(n - 1, 0)))
        ) / greatest(
            coalesce(low_width + share * (high_width - low_width), 0), sqrt(2 / (9.0 * nullif(n - 1, 0)))
        ) AS variability_index
    FROM placed
)

INSERT INTO roman.variability (
    season, object_id, optical_element, photometry_kind, n_point, mean_flux, std_flux, min_flux, max_flux,
    reduced_chi2, excess_scatter, skewness, kurtosis, von_neumann, longest_run, variability_index, is_variable,
    load_run_id
)
SELECT
    CAST(:season AS smallint), object_id, optical_element, CAST(:photometry_kind AS text), n, mean_flux,
    sqrt(m2 / nullif(n - 1, 0)), min_flux, max_flux, reduced_chi2,
    sqrt(greatest(reduced_chi2 - 1, 0) * n / weight) / nullif(abs(mean_flux), 0),
    CASE WHEN n > 2 AND m2 > 0 THEN n * sqrt(n - 1) / (n - 2) * m3 / m2 ^ 1.5 END,
    CASE
        WHEN n > 3 AND m2 > 0
            THEN (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * n * m4 / m2 ^ 2 - 3 * (n - 1))
    END,
    steps / nullif(m2, 0), run, variability_index,
    coalesce(variability_index >= CAST(:threshold AS float8), FALSE), CAST(:load_run_id AS bigint)
FROM judged;
