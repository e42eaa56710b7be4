-- Objects of the current catalog within a polygon, by identifier.
-- Grain: one row an object
-- Parameters:
--   corners: right ascensions and declinations in turn, deg ICRS, as an array
--   most: most rows
SELECT o.object_id, o.ra, o.dec, CAST('NaN' AS double precision) AS distance
FROM roman.current_object AS o
WHERE q3c_poly_query(o.ra, o.dec, CAST(:corners AS double precision[]))
ORDER BY o.object_id LIMIT CAST(:most AS integer);
