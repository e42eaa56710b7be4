-- Find the detectors whose events are to be refined, with the exposures that were photometered there.
-- Grain: one row a field and detector that shows an event of the season.
-- Reads: roman.event, roman.light_curve_segment, roman.light_curve_block, roman.field, roman.exposure,
--   roman.event_refinement.
-- Writes: nothing.
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves in which events were found
--   from_mjd: first day
--   to_mjd: first day that is left out
-- Note: exposures are in order of time; newest_run loaded the last of their files, and is_new says whether an event has
--   no row yet.
WITH listed AS (
    SELECT e.event_id, e.object_id
    FROM roman.event AS e
    WHERE e.is_event AND e.season = CAST(:season AS smallint) AND e.photometry_kind = CAST(:photometry_kind AS text)
),

shown AS (
    SELECT DISTINCT b.field_id, b.detector, l.event_id
    FROM roman.light_curve_segment AS s
    JOIN roman.light_curve_block AS b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
    JOIN listed AS l ON l.object_id = s.object_id
    WHERE
        s.object_id = ANY(ARRAY(SELECT object_id FROM listed)) AND b.detector IS NOT NULL
        AND b.photometry_kind = CAST(:photometry_kind AS text)
        AND s.start_mjd >= CAST(:from_mjd AS integer) AND s.start_mjd < CAST(:to_mjd AS integer)
),

due AS (
    SELECT
        n.field_id, n.detector,
        bool_or(NOT EXISTS (
            SELECT FROM roman.event_refinement AS r
            WHERE
                r.event_id = n.event_id AND r.season = CAST(:season AS smallint) AND r.superseded_at IS NULL
                AND r.field_id = n.field_id AND r.detector = n.detector
        )) AS is_new
    FROM shown AS n
    GROUP BY n.field_id, n.detector
)

SELECT
    d.field_id, f.name AS field, d.detector, d.is_new, max(e.load_run_id) AS newest_run,
    array_agg(x.exposure_id ORDER BY x.midpoint_mjd_tdb, x.exposure_id) AS exposure_id
FROM due AS d
JOIN roman.field AS f USING (field_id)
JOIN roman.light_curve_block AS b
    ON b.field_id = d.field_id AND b.detector = d.detector AND b.superseded_at IS NULL
    AND b.photometry_kind = CAST(:photometry_kind AS text)
    AND b.start_mjd >= CAST(:from_mjd AS integer) AND b.start_mjd < CAST(:to_mjd AS integer)
CROSS JOIN LATERAL unnest(b.exposure_id, b.midpoint_mjd_tdb) AS x (exposure_id, midpoint_mjd_tdb)
LEFT JOIN roman.exposure AS e ON e.exposure_id = x.exposure_id
GROUP BY d.field_id, f.name, d.detector, d.is_new
ORDER BY d.field_id, d.detector
