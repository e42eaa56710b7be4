-- Objects, now or before, whose position is not on the sphere.
SELECT 'roman.object' AS stored_in, object_id, ra, dec, catalog_version_id
FROM roman.object
WHERE NOT (ra >= 0 AND ra < 360 AND dec >= -90 AND dec <= 90)
UNION ALL
SELECT 'roman.object_history', object_id, ra, dec, catalog_version_id
FROM roman.object_history
WHERE NOT (ra >= 0 AND ra < 360 AND dec >= -90 AND dec <= 90);
