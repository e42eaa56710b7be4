-- Refuse events that a much stronger brightening beside has at the same time: the wings of its light, which the PSF does
-- not describe to all its errors, vary with it. Two lenses of that kind within seconds of arc would be chance.
-- Grain: the events that are refused.
-- Reads: roman.event, roman.object.
-- Writes: roman.event (is_event, classification).
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves
--   radius: deg within which wings of stars count
--   ratio: by how much the fall of chi-square is larger of what is much stronger
--   load_run_id: run that writes
WITH candidate AS (
    SELECT e.event_id, e.object_id, e.is_event, e.t_0_guess, e.t_eff, e.delta_chi2, o.ra, o.dec
    FROM roman.event AS e
    JOIN roman.object AS o USING (object_id)
    WHERE
        e.season = CAST(:season AS smallint) AND e.photometry_kind = CAST(:photometry_kind AS text)
        AND e.classification <> 'not_found' AND e.delta_chi2 IS NOT NULL
),

beside AS (
    SELECT DISTINCT a.event_id
    FROM candidate AS a
    JOIN roman.object AS o ON q3c_join(a.ra, a.dec, o.ra, o.dec, CAST(:radius AS double precision))
    JOIN candidate AS b ON b.object_id = o.object_id
    WHERE
        a.is_event AND b.object_id <> a.object_id
        AND b.delta_chi2 > CAST(:ratio AS double precision) * a.delta_chi2
        AND abs(a.t_0_guess - b.t_0_guess) < greatest(a.t_eff, b.t_eff)
)

UPDATE roman.event AS e
SET is_event = FALSE, classification = 'beside_stronger', load_run_id = CAST(:load_run_id AS bigint)
FROM beside
WHERE e.event_id = beside.event_id;
