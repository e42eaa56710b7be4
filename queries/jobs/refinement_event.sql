-- Find the events of a detector, with the model that is believed of each.
-- Grain: one row an event whose object was photometered there, of this season or another.
-- Reads: roman.event, roman.event_model, roman.object, roman.light_curve_segment, roman.light_curve_block.
-- Writes: nothing.
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves in which events were found
--   from_mjd: first day
--   to_mjd: first day that is left out
--   field_id: field
--   detector: detector
-- Note: of an object the events of the season come first, those that lower chi-square most before others.
WITH listed AS (
    SELECT e.*
    FROM roman.event AS e
    WHERE e.is_event AND e.photometry_kind = CAST(:photometry_kind AS text)
),

shown AS (
    SELECT DISTINCT s.object_id
    FROM roman.light_curve_segment AS s
    JOIN roman.light_curve_block AS b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
    WHERE
        s.object_id = ANY(ARRAY(SELECT object_id FROM listed))
        AND b.field_id = CAST(:field_id AS integer) AND b.detector = CAST(:detector AS text)
        AND b.photometry_kind = CAST(:photometry_kind AS text)
        AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
)

SELECT
    l.event_id, l.object_id, l.season = CAST(:season AS smallint) AS is_asked, o.ra, o.dec, o.ref_epoch,
    m.event_model_id, m.name, m.t_0_par
FROM listed AS l
JOIN shown AS n USING (object_id)
JOIN roman.object AS o USING (object_id)
LEFT JOIN roman.event_model AS m ON m.event_id = l.event_id AND m.rank = 1 AND m.superseded_at IS NULL
ORDER BY l.object_id, is_asked DESC, l.delta_chi2 DESC NULLS LAST, l.event_id
