-- Recoveries without what was injected or the other way round, classes that do not fit, and cells that do not add up.
SELECT injection_run_id, injected_event_id, e.kind, r.binary_class
FROM roman.injected_event AS e
FULL JOIN roman.event_recovery AS r USING (injection_run_id, injected_event_id)
WHERE e.kind IS NULL OR r.binary_class IS NULL
   OR (e.kind IN ('point_lens', 'planet')) <> (r.binary_class IN ('TP', 'FN'))
UNION ALL
SELECT c.injection_run_id, NULL, NULL, 'cells'
FROM (
    SELECT injection_run_id, sum(n_injected) AS n
    FROM (
        SELECT injection_run_id, n_injected FROM roman.event_efficiency
        WHERE field_id = 0
        UNION ALL
        SELECT injection_run_id, n_injected FROM roman.planet_efficiency
        WHERE field_id = 0 AND magnitude_lower = 0 AND magnitude_upper = 99
    ) AS cell
    GROUP BY injection_run_id
) AS c
WHERE c.n > (
    SELECT count(*) FROM roman.injected_event AS e
    WHERE e.injection_run_id = c.injection_run_id AND e.kind IN ('point_lens', 'planet')
)
UNION ALL
SELECT whole.injection_run_id, NULL, NULL, 'fields'
FROM roman.event_efficiency AS whole
JOIN roman.event_efficiency AS part
    USING (injection_run_id, einstein_time_lower, magnitude_lower, u_0_lower)
WHERE whole.field_id = 0 AND part.field_id <> 0
GROUP BY whole.injection_run_id, einstein_time_lower, magnitude_lower, u_0_lower, whole.n_injected
HAVING sum(part.n_injected) > whole.n_injected
UNION ALL
SELECT whole.injection_run_id, NULL, NULL, 'magnitudes'
FROM roman.planet_efficiency AS whole
JOIN roman.planet_efficiency AS part USING (injection_run_id, s_lower, q_lower, field_id)
WHERE
    whole.magnitude_lower = 0 AND whole.magnitude_upper = 99
    AND (part.magnitude_lower > 0 OR part.magnitude_upper < 99)
GROUP BY whole.injection_run_id, s_lower, q_lower, field_id, whole.n_injected
HAVING sum(part.n_injected) > whole.n_injected
