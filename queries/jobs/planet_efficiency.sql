-- Completeness of the search for planets of an injection by cells of separation and mass ratio.
-- Grain: one row a cell in which anything was injected, for each field and for all of them (field_id 0), for each cell
--   of magnitude and for all of them (0 to 99).
-- Reads: roman.injected_event, roman.event_recovery.
-- Writes: roman.planet_efficiency, where rows of the injection must have been removed.
-- Parameters:
--   injection_run_id: injection
--   load_run_id: run that writes
--   s_edges: edges of the cells of separation in Einstein radii, as an array
--   q_edges: edges of the cells of mass ratio, as an array
--   magnitude_edges: edges of the cells of the magnitude of the baseline, as an array
--   error = 0.02: standard error that completeness shall have
-- Note: a planet is found where its event is, and the model that is believed has a companion lighter than 0.1. Events
--   needed are as in event_efficiency.
WITH trial AS (
    SELECT
        e.season, e.field_id, width_bucket(e.s, CAST(:s_edges AS float8 [])) AS s_cell,
        width_bucket(roman.ab_magnitude(e.baseline_flux), CAST(:magnitude_edges AS float8 [])) AS magnitude_cell,
        width_bucket(e.q, CAST(:q_edges AS float8 [])) AS q_cell,
        (r.binary_class = 'TP')::integer AS found, (r.binary_class = 'TP' AND r.has_planet)::integer AS recovered,
        r.is_failed::integer AS failed
    FROM roman.injected_event AS e
    JOIN roman.event_recovery AS r USING (injection_run_id, injected_event_id)
    WHERE
        e.injection_run_id = CAST(:injection_run_id AS bigint) AND e.kind = 'planet' AND e.q IS NOT NULL
),

cell AS (
    SELECT
        season, s_cell, q_cell,
        CASE WHEN grouping(field_id) = 0 THEN field_id ELSE 0 END AS field_id,
        CASE WHEN grouping(magnitude_cell) = 0 THEN (CAST(:magnitude_edges AS float8 []))[magnitude_cell] ELSE 0 END
            AS magnitude_lower,
        CASE WHEN grouping(magnitude_cell) = 0 THEN (CAST(:magnitude_edges AS float8 []))[magnitude_cell + 1] ELSE 99 END
            AS magnitude_upper,
        count(*) AS n, sum(found) AS n_event, sum(recovered) AS k, sum(failed) AS failed
    FROM trial
    GROUP BY season, s_cell, q_cell, CUBE (field_id, magnitude_cell)
    HAVING grouping(field_id) = 1 OR field_id IS NOT NULL
),

limited AS (
    SELECT *, roman.wilson_limit(k, n, -1) AS low, roman.wilson_limit(k, n, 1) AS high FROM cell
)

INSERT INTO roman.planet_efficiency (
    injection_run_id, season, s_lower, s_upper, q_lower, q_upper, n_injected, n_event, n_recovered, n_failed,
    completeness, completeness_lower, completeness_upper, n_needed, load_run_id, field_id,
    magnitude_lower, magnitude_upper
)
SELECT
    CAST(:injection_run_id AS bigint), season,
    (CAST(:s_edges AS float8 []))[s_cell], (CAST(:s_edges AS float8 []))[s_cell + 1],
    (CAST(:q_edges AS float8 []))[q_cell], (CAST(:q_edges AS float8 []))[q_cell + 1],
    n, n_event, k, failed, k / n::float8, low, high,
    ceil((low + high) / 2 * (1 - (low + high) / 2) / CAST(:error AS float8) ^ 2), CAST(:load_run_id AS bigint),
    field_id, magnitude_lower, magnitude_upper
FROM limited
