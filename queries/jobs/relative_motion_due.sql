-- Find the events whose relative motion by chromatic shift was not looked for since their model, or the astrometry of
-- their piece of the sky, became another; and events that were refused since and still have rows.
-- Grain: one row an event.
-- Reads: roman.event, roman.event_model, roman.astrometric_solution, roman.relative_proper_motion.
-- Writes: nothing.
-- Parameters:
--   season: season up to which events count; 0 for those of all light curves together
--   photometry_kind: kind of their light curves
--   redo: whether all are wanted
SELECT e.event_id
FROM roman.event AS e
LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL
LEFT JOIN LATERAL (
    SELECT max(s.load_run_id) AS load_run_id
    FROM roman.astrometric_solution AS s
    WHERE
        s.superseded_at IS NULL AND s.photometry_kind = e.photometry_kind AND s.season IN (0, CAST(:season AS smallint))
        AND s.healpix_index = e.object_id >> (2 * (29 - s.healpix_order))
) AS solved ON TRUE
LEFT JOIN LATERAL (
    SELECT min(r.load_run_id) AS load_run_id
    FROM roman.relative_proper_motion AS r
    WHERE
        r.event_id = e.event_id AND r.season = CAST(:season AS smallint) AND r.method = 'chromatic_shift'
        AND r.superseded_at IS NULL
) AS found ON TRUE
WHERE
    e.season <= CAST(:season AS smallint) AND (e.season = 0) = (CAST(:season AS smallint) = 0)
    AND e.photometry_kind = CAST(:photometry_kind AS text)
    AND (
        e.is_event AND (
            CAST(:redo AS boolean) OR found.load_run_id IS NULL
            OR found.load_run_id < greatest(m.load_run_id, solved.load_run_id)
        )
        OR NOT e.is_event AND found.load_run_id IS NOT NULL
    )
ORDER BY e.event_id
