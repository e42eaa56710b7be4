-- Find the parameters and fluxes of models of events.
-- Grain: one row a parameter, whose number is empty, and one an optical element and number of the source.
-- Reads: roman.event_model_parameter, roman.event_model_flux.
-- Writes: nothing.
-- Parameters:
--   event_model_id: models, an array in the notation of PostgreSQL
SELECT p.event_model_id, p.name, CAST(NULL AS integer) AS number, p.value
FROM roman.event_model_parameter AS p
WHERE p.event_model_id = ANY(CAST(:event_model_id AS bigint []))
UNION ALL
SELECT f.event_model_id, f.optical_element, CAST(f.source_number AS integer), f.flux
FROM roman.event_model_flux AS f
WHERE f.event_model_id = ANY(CAST(:event_model_id AS bigint []))
ORDER BY event_model_id, number NULLS FIRST, name
