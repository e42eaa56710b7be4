-- Surveys, other than one, whose season of a number has results and other days than that survey's.
-- Grain: one row a survey.
-- Reads: roman.astrometric_solution, roman.variability_locus, roman.variability, roman.season, ops.load_run.
-- Parameters:
--   survey: survey that asks
--   season: number of its season
-- Note: results have the number of a season and no survey, so that a number is of one survey, and one row of a table
--   says of which. All that is made of a season is made after these three.
WITH result AS (
    (SELECT load_run_id FROM roman.astrometric_solution WHERE season = CAST(:season AS smallint) LIMIT 1)
    UNION ALL
    (SELECT load_run_id FROM roman.variability_locus WHERE season = CAST(:season AS smallint) LIMIT 1)
    UNION ALL
    (SELECT load_run_id FROM roman.variability WHERE season = CAST(:season AS smallint) LIMIT 1)
)

SELECT DISTINCT theirs.survey, theirs.start_mjd, theirs.end_mjd
FROM result
JOIN ops.load_run AS r USING (load_run_id)
JOIN roman.season AS theirs ON theirs.survey = r.arguments ->> 'survey' AND theirs.season = CAST(:season AS smallint)
JOIN roman.season AS mine ON mine.survey = CAST(:survey AS text) AND mine.season = theirs.season
WHERE (theirs.start_mjd, theirs.end_mjd) <> (mine.start_mjd, mine.end_mjd)
ORDER BY theirs.survey
