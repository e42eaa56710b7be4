-- Find events that no photometered exposure of the season shows, and that have no row that says so.
-- Grain: one row an event.
-- Reads: roman.event, roman.light_curve_segment, roman.light_curve_block, roman.event_refinement.
-- Writes: nothing.
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves in which events were found
--   from_mjd: first day
--   to_mjd: first day that is left out
SELECT e.event_id, e.object_id
FROM roman.event AS e
WHERE
    e.is_event AND e.season = CAST(:season AS smallint) AND e.photometry_kind = CAST(:photometry_kind AS text)
    AND NOT EXISTS (
        SELECT FROM roman.event_refinement AS r
        WHERE r.event_id = e.event_id AND r.season = e.season AND r.superseded_at IS NULL
    )
    AND NOT EXISTS (
        SELECT FROM roman.light_curve_segment AS s
        JOIN roman.light_curve_block AS b
            ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
        WHERE
            s.object_id = e.object_id AND b.detector IS NOT NULL AND b.photometry_kind = e.photometry_kind
            AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
    )
ORDER BY e.event_id
