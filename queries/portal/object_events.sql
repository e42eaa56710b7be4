-- Candidates of microlensing of one object.
-- Grain: one row a candidate
-- Parameters:
--   object_id: identifier of the object
SELECT e.event_id, e.season, e.photometry_kind, e.is_event, e.classification, e.t_0_guess, e.delta_chi2
FROM roman.event AS e
WHERE e.object_id = CAST(:object_id AS bigint) AND e.classification <> 'not_found'
ORDER BY e.is_event DESC, e.season, e.event_id;
