-- Brightness, kind of variable and events of some objects.
-- Grain: one row an object
-- Parameters:
--   objects: identifiers, as an array
SELECT o.object_id, f.optical_element, f.ab_mag, v.class_hint, e.n_event
FROM unnest(CAST(:objects AS bigint[])) AS o (object_id)
LEFT JOIN LATERAL (
    SELECT f.optical_element, roman.ab_magnitude(f.psf_flux) AS ab_mag FROM roman.object_flux AS f
    WHERE f.object_id = o.object_id AND f.psf_flux > 0
    ORDER BY f.optical_element = 'F146' DESC, f.optical_element LIMIT 1
) AS f ON TRUE
LEFT JOIN LATERAL (
    SELECT v.class_hint FROM roman.variable_object AS v WHERE v.object_id = o.object_id
    ORDER BY v.season = 0 DESC, v.season DESC LIMIT 1
) AS v ON TRUE
CROSS JOIN LATERAL (
    SELECT count(*) AS n_event FROM roman.event AS e
    WHERE e.object_id = o.object_id AND e.is_event AND e.same_as_event_id IS NULL
) AS e;
