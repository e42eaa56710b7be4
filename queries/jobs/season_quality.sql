-- Measure the quality of a season: what its variability catalog, events, astrometry and map of extinction came to.
-- Grain: one row a metric that can be measured; those of things that the season does not have are left out.
-- Reads: roman.variability, roman.variability_locus, roman.event, roman.event_model, roman.event_physical,
--   roman.event_detection_count, roman.injected_event, roman.event_recovery, roman.injection_run, roman.extinction,
--   roman.astrometric_solution, roman.astrometric_exposure, roman.object_astrometry.
-- Writes: nothing.
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves
-- Note: what is measured of light curves is that of the optical element with most points. What the metrics are, and
--   their limits, is in ops.quality_limit.
WITH main AS (
    SELECT optical_element, count(*) AS n_object, count(*) FILTER (WHERE is_variable) AS n_variable
    FROM roman.variability
    WHERE season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
    GROUP BY optical_element
    ORDER BY sum(n_point) DESC, optical_element
    LIMIT 1
),

locus AS (
    SELECT sum(l.n_object * l.centre ^ 3) / sum(l.n_object) AS reduced_chi2
    FROM roman.variability_locus AS l
    JOIN main USING (optical_element)
    WHERE l.season = CAST(:season AS smallint) AND l.photometry_kind = CAST(:photometry_kind AS text)
),

candidate AS (
    SELECT * FROM roman.event
    WHERE
        season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
        AND classification <> 'not_found'
),

believed AS (
    SELECT
        c.classification, m.is_converged, m.chi2 / nullif(m.n_point - m.n_parameter, 0) AS reduced_chi2,
        p.event_model_id IS NULL AS is_without_lens
    FROM candidate AS c
    LEFT JOIN roman.event_model AS m ON m.event_id = c.event_id AND m.rank = 1 AND m.superseded_at IS NULL
    LEFT JOIN roman.event_physical AS p ON p.event_model_id = m.event_model_id
    WHERE c.is_event
),

detection AS (
    SELECT
        sum(tp_count) / nullif(sum(tp_count + fp_count), 0)::float8 AS reliability,
        sum(tp_count) / nullif(sum(tp_count + fn_count), 0)::float8 AS completeness
    FROM roman.event_detection_count
    WHERE
        season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
        AND inject_medium = 'lightcurve'
),

clear AS (
    SELECT avg((r.binary_class = 'TP')::integer) AS completeness
    FROM roman.injected_event AS e
    JOIN roman.event_recovery AS r USING (injection_run_id, injected_event_id)
    JOIN roman.injection_run AS i USING (injection_run_id)
    WHERE
        e.season = CAST(:season AS smallint) AND e.photometry_kind = CAST(:photometry_kind AS text)
        AND i.inject_medium = 'lightcurve' AND e.kind IN ('point_lens', 'planet') AND e.expected_delta_chi2 >= 1000
),

dust AS (
    SELECT extinction_err, status FROM roman.extinction
    WHERE superseded_at IS NULL AND optical_element = 'F146' AND status NOT IN ('no_stars', 'too_few_stars')
),

solution AS (
    SELECT astrometric_solution_id, reduced_chi2 FROM roman.astrometric_solution
    WHERE
        season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
        AND superseded_at IS NULL
),

placed AS (
    SELECT e.rms FROM roman.astrometric_exposure AS e
    JOIN solution USING (astrometric_solution_id)
),

star AS (
    SELECT status FROM roman.object_astrometry
    WHERE
        season = CAST(:season AS smallint) AND photometry_kind = CAST(:photometry_kind AS text)
        AND status IN ('five_parameters', 'with_priors', 'too_few_epochs')
),

measured (metric, value) AS (
    SELECT 'variable_fraction', n_variable / nullif(n_object, 0)::float8 FROM main
    UNION ALL
    SELECT 'constant_chi2', reduced_chi2 FROM locus
    UNION ALL
    SELECT 'candidate_fraction_shared', avg((classification = 'shared')::integer) FROM candidate
    UNION ALL
    SELECT 'candidate_fraction_failed', avg((classification = 'fit_failed')::integer) FROM candidate
    UNION ALL
    SELECT 'event_fraction_unfinished', avg((is_converged IS NOT TRUE)::integer) FROM believed
    UNION ALL
    SELECT 'event_fraction_anomalous', avg((classification = 'anomalous')::integer) FROM believed
    UNION ALL
    SELECT 'event_fraction_without_lens', avg(is_without_lens::integer) FROM believed
    UNION ALL
    SELECT 'event_chi2', percentile_cont(0.5) WITHIN GROUP (ORDER BY reduced_chi2) FROM believed
    UNION ALL
    SELECT 'event_reliability', reliability FROM detection
    UNION ALL
    SELECT 'event_completeness', completeness FROM detection
    UNION ALL
    SELECT 'event_completeness_clear', completeness FROM clear
    UNION ALL
    SELECT 'extinction_fraction_fitted', avg((status = 'fitted')::integer) FROM dust
    UNION ALL
    SELECT 'extinction_error', percentile_cont(0.5) WITHIN GROUP (ORDER BY extinction_err) FROM dust
    UNION ALL
    SELECT 'astrometry_chi2', percentile_cont(0.5) WITHIN GROUP (ORDER BY reduced_chi2) FROM solution
    UNION ALL
    SELECT 'astrometry_rms', percentile_cont(0.5) WITHIN GROUP (ORDER BY rms) FROM placed
    UNION ALL
    SELECT 'astrometry_fraction_solved', avg((status <> 'too_few_epochs')::integer) FROM star
)

SELECT metric, value::float8 AS value FROM measured
WHERE value IS NOT NULL
ORDER BY metric;
