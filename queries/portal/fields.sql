-- Fields and where they are, those with exposures first.
-- Grain: one row a field
SELECT f.field_id, f.name, f.survey, f.ra, f.dec, f.radius,
       EXISTS (SELECT FROM roman.exposure AS e WHERE e.field_id = f.field_id) AS is_observed
FROM roman.field AS f ORDER BY is_observed DESC, f.name LIMIT 500;
