-- Completeness of the search for events of an injection by cells of Einstein time, magnitude and impact parameter.
-- Grain: one row a cell in which anything was injected, for each field and for all of them (field_id 0).
-- Reads: roman.injected_event, roman.event_recovery.
-- Writes: roman.event_efficiency, where rows of the injection must have been removed.
-- Parameters:
--   injection_run_id: injection
--   load_run_id: run that writes
--   time_edges: edges of the cells of Einstein time, days, as an array
--   u_0_edges: edges of the cells of the impact parameter, as an array
--   magnitude_step = 1: height of a cell, mag
--   error = 0.02: standard error that completeness shall have
-- Note: events of which numbers failed count as not found. Events needed are those for which the variance
--   p (1 - p) / n is that of the error, p being the middle of the limits of roman.wilson_limit, so that a cell in which
--   all or none were found asks for some, too.
WITH trial AS (
    SELECT
        e.season, e.field_id, width_bucket(e.einstein_time, CAST(:time_edges AS float8 [])) AS time_cell,
        width_bucket(abs(e.u_0), CAST(:u_0_edges AS float8 [])) AS u_0_cell,
        floor(roman.ab_magnitude(e.baseline_flux) / CAST(:magnitude_step AS float8)) AS magnitude_cell,
        (r.binary_class = 'TP')::integer AS recovered, r.is_failed::integer AS failed
    FROM roman.injected_event AS e
    JOIN roman.event_recovery AS r USING (injection_run_id, injected_event_id)
    WHERE
        e.injection_run_id = CAST(:injection_run_id AS bigint) AND e.kind = 'point_lens'
        AND e.einstein_time IS NOT NULL
),

cell AS (
    SELECT
        season, time_cell, u_0_cell, magnitude_cell,
        CASE WHEN grouping(field_id) = 0 THEN field_id ELSE 0 END AS field_id,
        count(*) AS n, sum(recovered) AS k, sum(failed) AS failed
    FROM trial
    GROUP BY season, time_cell, u_0_cell, magnitude_cell, CUBE (field_id)
    HAVING grouping(field_id) = 1 OR field_id IS NOT NULL
),

limited AS (
    SELECT *, roman.wilson_limit(k, n, -1) AS low, roman.wilson_limit(k, n, 1) AS high FROM cell
)

INSERT INTO roman.event_efficiency (
    injection_run_id, season, einstein_time_lower, einstein_time_upper, magnitude_lower, magnitude_upper,
    u_0_lower, u_0_upper, n_injected, n_recovered, n_failed, completeness, completeness_lower,
    completeness_upper, n_needed, load_run_id, field_id
)
SELECT
    CAST(:injection_run_id AS bigint), season,
    (CAST(:time_edges AS float8 []))[time_cell], (CAST(:time_edges AS float8 []))[time_cell + 1],
    magnitude_cell * CAST(:magnitude_step AS float8), (magnitude_cell + 1) * CAST(:magnitude_step AS float8),
    (CAST(:u_0_edges AS float8 []))[u_0_cell], (CAST(:u_0_edges AS float8 []))[u_0_cell + 1],
    n, k, failed, k / n::float8, low, high,
    ceil((low + high) / 2 * (1 - (low + high) / 2) / CAST(:error AS float8) ^ 2), CAST(:load_run_id AS bigint),
    field_id
FROM limited
