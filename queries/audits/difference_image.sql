-- Differences that have not as many sources as they say, exposures that are in their own template, and sources that
-- are no object.
WITH stored AS (
    SELECT difference_image_id, count(*) AS n_source
    FROM roman.dia_source
    GROUP BY difference_image_id
)

SELECT 'rows are missing' AS fault, difference_image_id, d.n_source AS number
FROM roman.difference_image AS d
FULL JOIN stored AS s USING (difference_image_id)
WHERE d.n_source IS DISTINCT FROM coalesce(s.n_source, 0)
UNION ALL
SELECT 'the exposure is in its template', d.difference_image_id, d.exposure_id
FROM roman.difference_image AS d
JOIN roman.reference_image_exposure AS m
    ON m.reference_image_id = d.reference_image_id AND m.exposure_id = d.exposure_id AND m.file_id = d.file_id
WHERE m.is_used AND NOT d.is_left_out
UNION ALL
SELECT 'no such object', s.difference_image_id, count(*)
FROM roman.dia_source AS s
WHERE s.object_id IS NOT NULL AND NOT EXISTS (SELECT FROM roman.object AS o WHERE o.object_id = s.object_id)
GROUP BY s.difference_image_id
