-- Refuse events that happen to many neighbours at once: what brightens stars about a place at one time is no lens of one
-- of them, but an asteroid, a ghost, or an exposure that was calibrated wrongly.
-- Grain: the events that are refused.
-- Reads: roman.event, roman.object.
-- Writes: roman.event (is_event, classification).
-- Parameters:
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves
--   radius: deg within which stars are neighbours
--   fewest: least number of neighbours that must have it
--   log_chance: natural logarithm of the chance that so many have it, below which it is none
--   load_run_id: run that writes
-- Note: candidates are alike if they are less than half of the shorter effective time scale apart and these differ by less
--   than two. With n of them where chance brings m < n, the chance of n or more is below (e m / n)^n exp(-m) (Chernoff).
WITH candidate AS (
    SELECT
        e.event_id, e.object_id, e.is_event, e.t_0_guess, e.t_eff, o.ra, o.dec,
        max(e.t_0_guess) OVER () - min(e.t_0_guess) OVER () AS span
    FROM roman.event AS e
    JOIN roman.object AS o USING (object_id)
    WHERE
        e.season = CAST(:season AS smallint) AND e.photometry_kind = CAST(:photometry_kind AS text)
        AND e.classification <> 'not_found'
),

neighbour AS (
    SELECT
        a.event_id, a.span, b.object_id, least(a.t_eff, b.t_eff) AS t_eff,
        abs(a.t_0_guess - b.t_0_guess) < least(a.t_eff, b.t_eff) / 2 AS is_alike
    FROM candidate AS a
    JOIN roman.object AS o ON q3c_join(a.ra, a.dec, o.ra, o.dec, CAST(:radius AS double precision))
    JOIN candidate AS b ON b.object_id = o.object_id
    WHERE a.is_event AND b.object_id <> a.object_id AND b.t_eff BETWEEN a.t_eff / 2 AND a.t_eff * 2
),

crowd AS (
    SELECT
        event_id, count(DISTINCT object_id) FILTER (WHERE is_alike) AS n_alike,
        sum(t_eff / nullif(span, 0)) AS expected
    FROM neighbour
    GROUP BY event_id
)

UPDATE roman.event AS e
SET is_event = FALSE, classification = 'shared', load_run_id = CAST(:load_run_id AS bigint)
FROM crowd AS c
WHERE
    e.event_id = c.event_id AND c.n_alike >= CAST(:fewest AS bigint) AND c.expected < c.n_alike
    AND c.n_alike * (1 + ln(greatest(c.expected, 1e-9) / c.n_alike)) - c.expected < CAST(:log_chance AS double precision);
