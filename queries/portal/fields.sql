-- Fields and where to look at them, those with exposures first: the middle of an exposure, or of the field.
-- Grain: one row a field; width, in degrees, is that of the exposure or field
SELECT f.field_id, f.name, f.survey, coalesce(e.ra, f.ra) AS ra, coalesce(e.dec, f.dec) AS dec,
       coalesce(greatest(e.n_x, e.n_y) * 0.11 / 3600, 2 * f.radius) AS width, e.ra IS NOT NULL AS is_observed
FROM roman.field AS f
LEFT JOIN LATERAL (
    SELECT x.ra, x.dec, x.n_x, x.n_y FROM roman.exposure AS x WHERE x.field_id = f.field_id LIMIT 1
) AS e ON TRUE
ORDER BY is_observed DESC, f.name LIMIT 500;
