-- One candidate of microlensing.
-- Grain: one row, none where there is no such candidate
-- Parameters:
--   event_id: number of the candidate
SELECT e.event_id, e.object_id, e.season, e.photometry_kind, e.is_event, e.classification,
       coalesce(f.survey, (SELECT min(s.survey) FROM roman.survey AS s)) AS survey
FROM roman.event AS e
LEFT JOIN LATERAL (
    SELECT f.survey FROM roman.light_curve_segment AS s
    JOIN roman.light_curve_block AS b ON b.block_id = s.block_id AND b.start_mjd = s.start_mjd
    JOIN roman.field AS f USING (field_id)
    WHERE s.object_id = e.object_id AND f.survey IS NOT NULL LIMIT 1
) AS f ON TRUE
WHERE e.event_id = CAST(:event_id AS bigint);
