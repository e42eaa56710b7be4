-- Fields of the survey.
-- Reads: roman.field
-- Parameters:
--   survey: survey layout
SELECT t.* FROM roman.field AS t WHERE t.survey = CAST(:survey AS text)
