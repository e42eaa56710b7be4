-- An event is the same as a first one of the same star and kind of light curves, and a model is the twin of a better
-- one of its event.
SELECT e.event_id, NULL::bigint AS event_model_id, 'the event that it is the same as is no first one of its star' AS fault
FROM roman.event AS e
JOIN roman.event AS f ON f.event_id = e.same_as_event_id
WHERE
    f.same_as_event_id IS NOT NULL OR f.event_id = e.event_id
    OR (f.object_id, f.photometry_kind) <> (e.object_id, e.photometry_kind)
UNION ALL
SELECT m.event_id, m.event_model_id, 'the model that it is the twin of is no better one of its event'
FROM roman.event_model AS m
LEFT JOIN roman.event_model AS b ON b.event_model_id = m.twin_of
WHERE
    (m.twin_of IS NULL) <> (m.degeneracy IS NULL)
    OR b.event_id <> m.event_id OR b.rank >= m.rank OR b.load_run_id <> m.load_run_id;
