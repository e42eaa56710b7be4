-- Reference images of seasons whose parts do not add up: the weights of those that are in are not one, a part is no
-- image of a span or belongs to none of a season, or exposures are missing.
WITH part AS (
    SELECT reference_image_id, sum(weight) FILTER (WHERE is_used) AS weight
    FROM roman.reference_image_part
    GROUP BY reference_image_id
),

member AS (
    SELECT reference_image_id, count(*) FILTER (WHERE is_used) AS n_exposure
    FROM roman.reference_image_exposure
    GROUP BY reference_image_id
)

SELECT 'weights do not add up' AS fault, r.reference_image_id, p.weight AS number
FROM roman.reference_image AS r
LEFT JOIN part AS p ON p.reference_image_id = r.reference_image_id
WHERE r.reference_kind = 'season' AND coalesce(abs(p.weight - 1), 1) > 1e-6
UNION ALL
SELECT 'part is of another kind', p.reference_image_id, p.part_reference_image_id
FROM roman.reference_image_part AS p
JOIN roman.reference_image AS r ON r.reference_image_id = p.reference_image_id
JOIN roman.reference_image AS b ON b.reference_image_id = p.part_reference_image_id
WHERE r.reference_kind <> 'season' OR b.reference_kind <> 'span'
UNION ALL
SELECT 'exposures are missing', r.reference_image_id, r.n_exposure - coalesce(m.n_exposure, 0)
FROM roman.reference_image AS r
LEFT JOIN member AS m ON m.reference_image_id = r.reference_image_id
WHERE r.reference_kind = 'season' AND r.n_exposure <> coalesce(m.n_exposure, 0);
