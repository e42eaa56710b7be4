-- Seasons of the survey.
-- Reads: roman.season
-- Parameters:
--   survey: survey layout
SELECT t.* FROM roman.season AS t WHERE t.survey = CAST(:survey AS text)
