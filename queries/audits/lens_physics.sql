-- Physical parameters that contradict themselves, and statuses that promise what is not there.
SELECT 'interval out of order' AS fault, event_model_id, name
FROM roman.event_physical_parameter
WHERE method <> 'limit' AND (value IS NULL OR lower IS NULL OR upper IS NULL OR lower > value OR value > upper)
UNION ALL
SELECT 'limit on both sides or none', event_model_id, name
FROM roman.event_physical_parameter
WHERE method = 'limit' AND (value IS NOT NULL OR (lower IS NULL) = (upper IS NULL))
UNION ALL
SELECT 'nothing measured', p.event_model_id, p.status
FROM roman.event_physical AS p
LEFT JOIN roman.event_physical_parameter AS q ON
    q.event_model_id = p.event_model_id AND q.method = 'measured'
    AND q.name = CASE p.status WHEN 'mass_measured' THEN 'Mtot' WHEN 'theta_e_measured' THEN 'thetaE' ELSE 'piE' END
WHERE p.status IN ('mass_measured', 'theta_e_measured', 'parallax_measured') AND q.event_model_id IS NULL
UNION ALL
SELECT 'lens behind its source', lens.event_model_id, lens.method
FROM roman.event_physical_parameter AS lens
JOIN roman.event_physical_parameter AS source USING (event_model_id)
WHERE lens.name = 'D_L' AND source.name = 'D_S' AND lens.value >= source.value
  AND source.method = CASE lens.method WHEN 'measured' THEN 'assumed' ELSE lens.method END;
