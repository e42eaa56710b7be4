-- Find the events whose models are to be fitted again to the light curves of all seasons so far: those with points beyond
-- their season that came since, and those some of whose light curves became others.
-- Grain: one row an event that is kept, the first of its brightening.
-- Reads: roman.event, roman.event_model, roman.light_curve_segment, roman.light_curve_block, roman.season.
-- Writes: nothing.
-- Parameters:
--   survey: survey whose seasons they are
--   season: season up to which events and light curves count
--   photometry_kind: kind of the light curves
--   refined_kind: kind of those that are measured anew
--   redo: whether all are wanted that have such points
-- Note: a model that knows of later seasons is not given fewer. newest_run is what the fit is of: the run that wrote the
--   newest light curve, or the model if that is newer, so that a fit that fails is not tried again until one of them changes.
WITH event AS (
    SELECT
        e.event_id, e.object_id, e.season, e.t_0_guess, e.t_eff, e.search_shape, e.search_gain,
        coalesce(m.up_to_season, 0) AS known_season, coalesce(m.load_run_id, 0) AS model_run,
        greatest(m.up_to_season, CAST(:season AS smallint)) AS up_to_season
    FROM roman.event AS e
    LEFT JOIN roman.event_model AS m ON m.event_id = e.event_id AND m.rank = 1 AND m.superseded_at IS NULL
    WHERE
        e.is_event AND e.same_as_event_id IS NULL AND e.season BETWEEN 1 AND CAST(:season AS smallint)
        AND e.photometry_kind = CAST(:photometry_kind AS text)
),

span AS (
    SELECT season, min(start_mjd) AS start_mjd, max(end_mjd) AS end_mjd
    FROM roman.season
    WHERE survey = CAST(:survey AS text)
    GROUP BY season
),

light AS (
    SELECT
        e.event_id, l.end_mjd AS to_mjd, max(b.load_run_id) AS light_run, max(t.season) AS last_season,
        bool_or(b.start_mjd < own.start_mjd OR b.start_mjd >= own.end_mjd) AS is_beyond
    FROM event AS e
    JOIN span AS own ON own.season = e.season
    JOIN span AS l ON l.season = e.up_to_season
    JOIN roman.light_curve_segment AS s ON s.object_id = e.object_id AND s.start_mjd < l.end_mjd
    JOIN roman.light_curve_block AS b
        ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd AND b.superseded_at IS NULL
        AND b.photometry_kind IN (CAST(:photometry_kind AS text), CAST(:refined_kind AS text))
    LEFT JOIN span AS t ON b.start_mjd >= t.start_mjd AND b.start_mjd < t.end_mjd
    GROUP BY e.event_id, l.end_mjd
)

SELECT
    e.event_id, e.object_id, e.season, e.t_0_guess, e.t_eff, e.search_shape, e.search_gain, e.up_to_season,
    l.to_mjd, greatest(l.light_run, e.model_run) AS newest_run
FROM event AS e
JOIN light AS l USING (event_id)
WHERE
    l.is_beyond
    AND (CAST(:redo AS boolean) OR e.known_season < coalesce(l.last_season, 1) OR e.model_run < l.light_run)
ORDER BY e.event_id;
