-- Find the events whose late images were not looked at for the motion of a lens since their model became another, or
-- exposures of their detectors were loaded; and events that were refused since and still have rows.
-- Grain: one row an event, in order of objects.
-- Reads: roman.event, roman.event_model, roman.object, roman.light_curve_segment, roman.light_curve_block,
--   roman.exposure, roman.relative_proper_motion.
-- Writes: nothing.
-- Parameters:
--   season: season up to which events count; 0 for those of all light curves together
--   photometry_kind: kind of their light curves
--   shown_kind: kind of light curves that says which detectors show an object
--   to_mjd: first day that is left out
--   redo: whether all are wanted
-- Note: places are pairs of field and detector where the object was photometered; none of events that were refused.
WITH listed AS (
    SELECT e.event_id, e.object_id, e.is_event
    FROM roman.event AS e
    WHERE
        e.season <= CAST(:season AS smallint) AND (e.season = 0) = (CAST(:season AS smallint) = 0)
        AND e.photometry_kind = CAST(:photometry_kind AS text)
),

shown AS (
    SELECT DISTINCT s.object_id, b.field_id, b.detector
    FROM roman.light_curve_segment AS s
    JOIN roman.light_curve_block AS b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
    WHERE
        s.object_id = ANY(ARRAY(SELECT object_id FROM listed WHERE is_event)) AND b.detector IS NOT NULL
        AND b.photometry_kind = CAST(:shown_kind AS text) AND s.start_mjd < CAST(:to_mjd AS integer)
),

loaded AS (
    SELECT e.field_id, e.detector, max(e.load_run_id) AS load_run_id
    FROM roman.exposure AS e
    WHERE e.day_mjd < CAST(:to_mjd AS integer)
    GROUP BY e.field_id, e.detector
),

place AS (
    SELECT
        n.object_id, max(d.load_run_id) AS load_run_id,
        jsonb_agg(jsonb_build_array(n.field_id, n.detector) ORDER BY n.field_id, n.detector) AS places
    FROM shown AS n
    JOIN loaded AS d USING (field_id, detector)
    GROUP BY n.object_id
)

SELECT l.event_id, l.object_id, o.ra, coalesce(p.places, '[]') AS places
FROM listed AS l
JOIN roman.object AS o USING (object_id)
LEFT JOIN place AS p ON p.object_id = l.object_id AND l.is_event
LEFT JOIN roman.event_model AS m ON m.event_id = l.event_id AND m.rank = 1 AND m.superseded_at IS NULL
LEFT JOIN LATERAL (
    SELECT min(r.load_run_id) AS load_run_id
    FROM roman.relative_proper_motion AS r
    WHERE
        r.event_id = l.event_id AND r.season = CAST(:season AS smallint) AND r.method = 'elongation'
        AND r.superseded_at IS NULL
) AS found ON TRUE
WHERE
    l.is_event AND (
        CAST(:redo AS boolean) OR found.load_run_id IS NULL
        OR found.load_run_id < greatest(m.load_run_id, p.load_run_id)
    )
    OR NOT l.is_event AND found.load_run_id IS NOT NULL
ORDER BY l.object_id, l.event_id
