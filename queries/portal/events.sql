-- Microlensing events with their believed models, the clearest first.
-- Grain: one row an event
-- Parameters:
--   most: most rows
WITH clearest AS (
    SELECT e.event_id, e.object_id, e.season, e.photometry_kind, e.classification, e.t_0_guess, e.delta_chi2
    FROM roman.event AS e WHERE e.is_event AND e.same_as_event_id IS NULL
    ORDER BY e.delta_chi2 DESC NULLS LAST, e.event_id LIMIT CAST(:most AS integer)
)
SELECT e.event_id, e.object_id, o.ra, o.dec, e.season, e.photometry_kind, e.classification, e.t_0_guess,
       e.delta_chi2, m.name AS model, m.chi2 / greatest(m.n_point - m.n_parameter, 1) AS reduced_chi2, p.t_e, p.u_0
FROM clearest AS e
JOIN roman.object AS o USING (object_id)
LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL
LEFT JOIN LATERAL (
    SELECT max(p.value) FILTER (WHERE p.name = 't_E') AS t_e,
           max(p.value) FILTER (WHERE p.name IN ('u_0', 'u_0_1')) AS u_0
    FROM roman.event_model_parameter AS p WHERE p.event_model_id = m.event_model_id
) AS p ON TRUE
ORDER BY e.delta_chi2 DESC NULLS LAST, e.event_id;
