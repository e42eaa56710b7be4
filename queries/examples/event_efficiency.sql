-- Completeness of the search for microlensing events by Einstein time and magnitude.
-- Question: which events would have been found?
-- Parameters:
--   season = 0: season of the light curves, 0 for those of all seasons
--   photometry_kind = psf: kind of the light curves
--   max_u_0 = 1: largest impact parameter, an edge of the cells
--   inject_medium = lightcurve: what the events were put into, lightcurve or images
--   field_id = 0: field of the stars, 0 for those of all fields
-- Note: injections of several seeds are added up; shares are those of the counts. The limits are those of Wilson's
--   score interval at one standard deviation.
WITH cell AS (
    SELECT e.einstein_time_lower, e.einstein_time_upper, e.magnitude_lower, e.magnitude_upper,
           sum(e.n_injected)::bigint AS n_injected, sum(e.n_recovered)::bigint AS n_recovered
    FROM roman.event_efficiency AS e
    JOIN roman.event_detection_count AS c ON c.injection_run_id = e.injection_run_id
    WHERE c.season = CAST(:season AS smallint) AND c.photometry_kind = CAST(:photometry_kind AS text)
      AND c.inject_medium = CAST(:inject_medium AS text)
      AND e.field_id = CAST(:field_id AS smallint)
      AND e.u_0_upper <= CAST(:max_u_0 AS double precision)
    GROUP BY e.einstein_time_lower, e.einstein_time_upper, e.magnitude_lower, e.magnitude_upper
)
SELECT einstein_time_lower, einstein_time_upper, magnitude_lower, magnitude_upper, n_injected, n_recovered,
       n_recovered / n_injected::double precision AS completeness,
       roman.wilson_limit(n_recovered, n_injected, -1) AS completeness_lower,
       roman.wilson_limit(n_recovered, n_injected, 1) AS completeness_upper
FROM cell
ORDER BY magnitude_lower, einstein_time_lower;
