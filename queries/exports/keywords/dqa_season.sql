-- Keywords of RAD's schemas for the quality of a season.
-- Reads: ops.season_quality, ops.load_run
-- Grain: one row, or none where its quality was not measured
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout
--   kind: kind of photometry
--   product: dqa_photometry_level_4 or dqa_events_level_4
SELECT CASE WHEN CAST(:product AS text) = 'dqa_events_level_4' THEN 'events' ELSE 'longterm' END AS dqa_workflow,
       'report' AS dqa_artifact_type, r.code_version AS msos_dqa_version,
       format('s%s', lpad(CAST(:season AS text), 2, '0')) AS season,
       max(CASE q.verdict WHEN 'failure' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END) AS dqa_flag
FROM ops.season_quality AS q JOIN ops.load_run AS r USING (load_run_id)
WHERE q.survey = CAST(:survey AS text) AND q.season = CAST(:season AS smallint) AND q.photometry_kind = CAST(:kind AS text)
    AND q.subject = CASE WHEN CAST(:product AS text) = 'dqa_events_level_4' THEN 'events' ELSE 'photometry' END
GROUP BY r.code_version
