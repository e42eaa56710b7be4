-- Exposures that a survey plans and those that are loaded, by field, optical element and day.
-- Question: of which days and fields are exposures missing?
-- Parameters:
--   survey = gbtds: survey layout, as roman.survey names it
--   from_mjd = 0: first day, MJD TDB
--   to_mjd = 100000: first day that is left out
-- Note: expected are the multiples of the cadence's interval, from the start of the season, that fall on the
--   day; which minute they begin is not planned, so that one more or less means nothing. n_exposure counts an
--   exposure of all detectors once, n_image each detector. Days after the last exposure loaded of any field
--   are not listed.
WITH last AS (
    SELECT least(CAST(:to_mjd AS integer) - 1, max(day_mjd)) AS day_mjd FROM roman.exposure
), planned AS (
    SELECT f.field_id, f.name AS field, c.optical_element, s.season, d.day_mjd,
           ceil((d.day_mjd + 1 - s.start_mjd) * 1440 / c.interval_minutes)
           - ceil((d.day_mjd - s.start_mjd) * 1440 / c.interval_minutes) AS n_expected
    FROM roman.season AS s
    JOIN roman.field AS f USING (survey)
    JOIN roman.cadence AS c USING (survey)
    CROSS JOIN last
    CROSS JOIN LATERAL generate_series(
        greatest(s.start_mjd, CAST(:from_mjd AS integer)), least(s.end_mjd - 1, last.day_mjd)
    ) AS d (day_mjd)
    WHERE s.survey = CAST(:survey AS text)
), loaded AS (
    SELECT field_id, optical_element, day_mjd, count(DISTINCT (visit_id, exposure)) AS n_exposure,
           count(*) AS n_image
    FROM roman.exposure
    WHERE day_mjd >= CAST(:from_mjd AS integer) AND day_mjd < CAST(:to_mjd AS integer)
    GROUP BY field_id, optical_element, day_mjd
)
SELECT p.field, p.optical_element, p.season, p.day_mjd, CAST(p.n_expected AS integer) AS n_expected,
       coalesce(l.n_exposure, 0) AS n_exposure, coalesce(l.n_image, 0) AS n_image
FROM planned AS p
LEFT JOIN loaded AS l USING (field_id, optical_element, day_mjd)
ORDER BY p.day_mjd, p.field, p.optical_element;
