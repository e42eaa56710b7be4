-- Keywords of RAD's schema for the quality of the photometry of a period of eight days.
-- Reads: roman.field, roman.season, roman.exposure, roman.visit, ops.quality_metric, ops.load_run
-- Grain: one row, or none where there is no such season or nothing of it was measured
-- Parameters:
--   season: season of the survey, from 1
--   field: name of the field
--   detector: detector, such as WFI07
--   element: optical element, such as F146
--   sequence: period of eight days of the season, from 1
WITH scope AS (
    SELECT f.field_id, f.name, f.ra, f.dec, s.start_mjd + 8 * (CAST(:sequence AS integer) - 1) AS start_mjd,
           least(s.end_mjd, s.start_mjd + 8 * CAST(:sequence AS integer)) AS end_mjd
    FROM roman.field f
    JOIN roman.season s ON s.survey = f.survey AND s.season = CAST(:season AS smallint)
    WHERE f.name = CAST(:field AS text)
), measured AS (
    SELECT v.program, m.verdict, m.load_run_id
    FROM scope
    JOIN roman.exposure e
        ON e.field_id = scope.field_id AND e.day_mjd >= scope.start_mjd AND e.day_mjd < scope.end_mjd
    JOIN roman.visit v USING (visit_id)
    JOIN ops.quality_metric m USING (exposure_id)
    WHERE e.detector = CAST(:detector AS text) AND e.optical_element = CAST(:element AS text)
)
SELECT CASE WHEN (SELECT count(DISTINCT program) FROM measured) = 1 THEN (SELECT min(program) FROM measured) END
           AS program,
       (SELECT r.code_version FROM measured JOIN ops.load_run r USING (load_run_id) ORDER BY load_run_id DESC LIMIT 1)
           AS msos_dqa_version,
       'periodic' AS dqa_workflow, 'catalog' AS dqa_artifact_type,
       format('s%s', lpad(CAST(:season AS text), 2, '0')) AS season,
       format('p%s', lpad(CAST(:sequence AS text), 2, '0')) AS period,
       format('e%s', lpad(CAST(:sequence AS text), 2, '0')) AS sequence,
       format('f%s', lpad(coalesce(substring(scope.name, '-(\d+)$'), scope.field_id::text), 2, '0')) AS field,
       lower(CAST(:detector AS text)) AS detector, lower(CAST(:element AS text)) AS optical_element,
       scope.ra, scope.dec,
       (SELECT max(CASE verdict WHEN 'failure' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END) FROM measured) AS dqa_flag
FROM scope
WHERE EXISTS (SELECT FROM measured)
