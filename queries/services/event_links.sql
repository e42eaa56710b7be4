-- What there is of events: their object, and how many models stand.
-- Reads: roman.event, roman.event_model
-- Grain: event
-- Parameters:
--   numbers: identifiers of events, as an array of integers
SELECT v.event_id AS number, v.object_id,
       (SELECT count(*) FROM roman.event_model m WHERE m.event_id = v.event_id AND m.superseded_at IS NULL) AS n_model
FROM roman.event v
WHERE v.event_id = ANY (CAST(:numbers AS bigint[]))
ORDER BY v.event_id
