-- Products with a deadline: what each was to be made of, when it is due, and how far it is.
-- Elements observed seldom have one reference a season, which is among its products.
-- Grain: one row a product and a span of days (a day, eight days from the start of a season, a season, a survey)
-- Parameters:
--   days: how many days back a day or eight days are listed, by when their last exposure was received
--   hours: hours after receipt within which a day is to be photometered
WITH e AS (
    SELECT e.exposure_id, e.field_id, e.detector, e.optical_element, e.day_mjd, f.survey, s.season, s.start_mjd,
           s.start_mjd + (e.day_mjd - s.start_mjd) / 8 * 8 AS window_mjd, s.end_mjd, r.started_at AS received_at
    FROM roman.exposure AS e
    JOIN ops.load_run AS r USING (load_run_id)
    LEFT JOIN roman.field AS f ON f.field_id = e.field_id
    LEFT JOIN roman.season AS s ON s.survey = f.survey AND e.day_mjd BETWEEN s.start_mjd AND s.end_mjd - 1
), recent AS (
    SELECT * FROM e WHERE received_at >= now() - CAST(:days AS double precision) * interval '1 day'
), photometered AS (
    SELECT DISTINCT unnest(b.exposure_id) AS exposure_id FROM roman.light_curve_block AS b
    WHERE b.superseded_at IS NULL AND b.end_mjd > (SELECT min(day_mjd) FROM recent)
), daily AS (
    SELECT 1 AS place, 'daily photometry' AS product, 'run daily' AS task, CAST(NULL AS text) AS season,
           r.day_mjd AS start_mjd, r.day_mjd + 1 AS end_mjd, max(r.received_at) AS received_at,
           max(r.received_at) + CAST(:hours AS double precision) * interval '1 hour' AS due_at,
           count(*) AS n_wanted, count(p.exposure_id) AS n_made, 'exposures' AS counted
    FROM recent AS r LEFT JOIN photometered AS p USING (exposure_id)
    GROUP BY r.day_mjd
), part AS (
    SELECT survey, season, window_mjd, least(window_mjd + 8, end_mjd) AS window_end, field_id, detector, optical_element,
           max(received_at) AS received_at
    FROM recent AS n WHERE season IS NOT NULL AND EXISTS (
        SELECT FROM roman.cadence AS c
        WHERE c.survey = n.survey AND c.optical_element = n.optical_element AND c.interval_minutes <= 60
    )
    GROUP BY survey, season, window_mjd, end_mjd, field_id, detector, optical_element
), eight_day AS (
    SELECT 2, 'references of eight days', 'run eight-day', p.survey || ' ' || p.season, p.window_mjd, p.window_end,
           max(p.received_at), max(p.received_at) + interval '8 days', count(*), count(*) FILTER (WHERE EXISTS (
               SELECT FROM roman.reference_image AS i
               WHERE i.superseded_at IS NULL AND i.reference_kind = 'span' AND i.field_id = p.field_id
                 AND i.detector = p.detector AND i.optical_element = p.optical_element AND i.start_mjd = p.window_mjd
           )), 'images'
    FROM part AS p GROUP BY p.survey, p.season, p.window_mjd, p.window_end
), season AS (
    SELECT survey, season, start_mjd, end_mjd, max(received_at) AS received_at FROM e WHERE season IS NOT NULL
    GROUP BY survey, season, start_mjd, end_mjd
), season_product AS (
    SELECT 3, 'products of a season', 'run season', s.survey || ' ' || s.season, s.start_mjd, s.end_mjd, s.received_at,
           CASE WHEN s.end_mjd < extract(epoch FROM now()) / 86400 + 40587
                THEN s.received_at + interval '6 months'
                ELSE to_timestamp((s.end_mjd - 40587) * 86400.0) + interval '6 months' END,
           1, least(count(r.load_run_id), 1), 'runs'
    FROM season AS s LEFT JOIN ops.load_run AS r ON r.task = 'run season' AND r.state = 'succeeded'
        AND r.arguments ->> 'season' = CAST(s.season AS text) AND r.started_at >= s.received_at
    GROUP BY s.survey, s.season, s.start_mjd, s.end_mjd, s.received_at
), survey_product AS (
    SELECT 4, 'products of the survey', 'run survey', l.survey, l.start_mjd, l.end_mjd, l.received_at,
           greatest(l.received_at, to_timestamp((l.end_mjd - 40587) * 86400.0)) + interval '6 months',
           1, least(count(r.load_run_id), 1), 'runs'
    FROM (
        SELECT s.survey, min(s.start_mjd) AS start_mjd, max(s.end_mjd) AS end_mjd,
               (SELECT max(n.received_at) FROM season AS n WHERE n.survey = s.survey) AS received_at
        FROM roman.season AS s WHERE s.survey IN (SELECT survey FROM season) GROUP BY s.survey
    ) AS l
    LEFT JOIN ops.load_run AS r ON r.task = 'run survey' AND r.state = 'succeeded' AND r.started_at >= l.received_at
        AND l.end_mjd < extract(epoch FROM now()) / 86400 + 40587
    GROUP BY l.survey, l.start_mjd, l.end_mjd, l.received_at
), product AS (
    SELECT * FROM daily UNION ALL SELECT * FROM eight_day
    UNION ALL SELECT * FROM season_product UNION ALL SELECT * FROM survey_product
)
SELECT p.product, p.season, p.start_mjd, p.end_mjd, p.received_at, p.due_at, p.n_wanted, p.n_made, p.counted,
       CASE WHEN p.n_made >= p.n_wanted THEN 'done' WHEN p.due_at < now() THEN 'late' ELSE 'due' END AS status,
       l.load_run_id AS last_run, l.state AS last_state, l.started_at AS last_started_at, l.message AS last_message
FROM product AS p
LEFT JOIN LATERAL (
    SELECT r.load_run_id, r.state, r.started_at, r.message FROM ops.load_run AS r
    WHERE r.task = p.task AND r.started_at >= p.received_at
      AND (p.task <> 'run season' OR p.season LIKE '% ' || (r.arguments ->> 'season'))
    ORDER BY r.load_run_id DESC LIMIT 1
) AS l ON true
ORDER BY p.n_made >= p.n_wanted, p.due_at, p.place, p.start_mjd LIMIT 300;
