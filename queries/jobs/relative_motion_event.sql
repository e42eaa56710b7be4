-- Read events with the model that is believed, and its time.
-- Grain: one row an event that is kept.
-- Reads: roman.event, roman.event_model, roman.event_model_parameter, roman.event_model_flux.
-- Writes: nothing.
-- Parameters:
--   event_id: the events, as an array
SELECT
    e.event_id, e.object_id, e.season, e.photometry_kind, e.delta_chi2, m.event_model_id,
    coalesce(m.is_converged, FALSE) AS is_converged, coalesce(m.n_source, 0) AS n_source, m.covariance_of, m.covariance,
    p.t_0, p.t_e, f.fluxes
FROM roman.event AS e
LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL
LEFT JOIN LATERAL (
    SELECT max(q.value) FILTER (WHERE q.name = 't_0') AS t_0, max(q.value) FILTER (WHERE q.name = 't_E') AS t_e
    FROM roman.event_model_parameter AS q
    WHERE q.event_model_id = m.event_model_id
) AS p ON TRUE
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(g.optical_element, g.source_number, g.flux, g.flux_err)) AS fluxes
    FROM roman.event_model_flux AS g
    WHERE g.event_model_id = m.event_model_id
) AS f ON TRUE
WHERE e.is_event AND e.event_id = ANY(CAST(:event_id AS bigint[]))
ORDER BY e.event_id
