-- Keywords of RAD's schema for the detection efficiency: how many rows of the product are of each class.
-- Reads: roman.event_detection, roman.field
-- Grain: one row
-- Parameters:
--   season: season of the survey, from 1; 0 for all there is
--   survey: survey layout; a field that is of none counts as of it
--   kind: kind of photometry
--   medium: what was injected into: images, lightcurve or rhie
SELECT CASE WHEN count(*) > 0 THEN CAST(:medium AS text) END AS inject_medium,
       count(*) FILTER (WHERE binary_class = 'TP') AS tp_count,
       count(*) FILTER (WHERE binary_class = 'FP') AS fp_count,
       count(*) FILTER (WHERE binary_class = 'TN') AS tn_count,
       count(*) FILTER (WHERE binary_class = 'FN') AS fn_count
FROM roman.event_detection LEFT JOIN roman.field USING (field_id)
WHERE season = CAST(:season AS smallint) AND photometry_kind = CAST(:kind AS text)
    AND inject_medium = CAST(:medium AS text) AND coalesce(survey, CAST(:survey AS text)) = CAST(:survey AS text)
