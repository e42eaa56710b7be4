-- Say which events are the same brightening of the same star, found in the light curves of several seasons: the tail in
-- the next season, and the row of all seasons, are those of the first.
-- Grain: the events whose first one is another than before.
-- Reads: roman.event, roman.event_model, roman.event_model_parameter.
-- Writes: roman.event (same_as_event_id).
-- Parameters:
--   photometry_kind: kind of the light curves
--   effective: effective time scales within which two times are one
--   einstein: Einstein times within which they are, of the event that came first
--   certain: share of the Einstein time that its error may be for that
-- Note: seasons come in their order, that of all seasons last, and what is refused after what is kept, which alone can be
--   the first. The longer effective time scale counts, as of candidates that are found again. Times are those of the
--   models where there are some: those of the search are where the light curve of a season is brightest.
WITH RECURSIVE known AS (
    SELECT
        e.event_id, e.object_id, e.is_event, e.t_0_guess, e.t_eff,
        row_number() OVER (PARTITION BY e.object_id ORDER BY NOT e.is_event, e.season = 0, e.season, e.event_id) AS place,
        coalesce(
            max(p.value) FILTER (WHERE p.name = 't_0'), max(p.value) FILTER (WHERE p.name = 't_0_1'), e.t_0_guess
        ) AS t_0,
        coalesce(max(p.value) FILTER (WHERE p.name = 't_E' AND p.err < CAST(:certain AS float8) * p.value), 0) AS t_e
    FROM roman.event AS e
    LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL AND e.is_event
    LEFT JOIN roman.event_model_parameter AS p ON p.event_model_id = m.event_model_id
    WHERE e.photometry_kind = CAST(:photometry_kind AS text) AND e.classification <> 'not_found'
    GROUP BY e.event_id
),

pair AS (
    SELECT DISTINCT ON (b.event_id) b.event_id, a.event_id AS before_id
    FROM known AS a
    JOIN known AS b ON b.object_id = a.object_id AND b.place > a.place
    WHERE
        a.is_event
        AND (
            abs(b.t_0_guess - a.t_0_guess) < CAST(:effective AS float8) * greatest(a.t_eff, b.t_eff)
            OR abs(b.t_0 - a.t_0) < CAST(:effective AS float8) * greatest(a.t_eff, b.t_eff)
            OR least(abs(b.t_0_guess - a.t_0), abs(b.t_0 - a.t_0)) < CAST(:einstein AS float8) * a.t_e
        )
    ORDER BY b.event_id, a.place
),

chain AS (
    SELECT event_id, before_id FROM pair
    UNION ALL
    SELECT c.event_id, p.before_id FROM chain AS c JOIN pair AS p ON p.event_id = c.before_id
),

first_one AS (
    SELECT c.event_id, c.before_id AS first_id
    FROM chain AS c
    WHERE NOT EXISTS (SELECT FROM pair AS p WHERE p.event_id = c.before_id)
)

UPDATE roman.event AS e
SET same_as_event_id = f.first_id
FROM roman.event AS o
LEFT JOIN first_one AS f ON f.event_id = o.event_id
WHERE
    o.event_id = e.event_id AND e.photometry_kind = CAST(:photometry_kind AS text)
    AND e.same_as_event_id IS DISTINCT FROM f.first_id;
