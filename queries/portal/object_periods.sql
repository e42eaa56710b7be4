-- What one object is as a variable: kind and period.
-- Grain: one row a season (0: all) and kind of photometry
-- Parameters:
--   object_id: identifier of the object
SELECT v.season, v.photometry_kind, v.class_hint, v.period, v.period_err, v.log_false_alarm, v.explained,
       v.amplitude, v.optical_element, v.n_point
FROM roman.variable_object AS v WHERE v.object_id = CAST(:object_id AS bigint)
ORDER BY v.season, v.photometry_kind;
