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
        UNION ALL
        SELECT injection_run_id, n_injected FROM roman.planet_efficiency
    ) AS cell
    GROUP BY injection_run_id
) AS c
WHERE c.n > (
    SELECT count(*) FROM roman.injected_event AS e
    WHERE e.injection_run_id = c.injection_run_id AND e.kind IN ('point_lens', 'planet')
)
