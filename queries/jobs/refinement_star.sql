-- Find how well the places of stars are catalogued at a time, and whether they vary.
-- Grain: one row an object.
-- Reads: roman.object, roman.variable_object, roman.event.
-- Writes: nothing.
-- Parameters:
--   object_id: objects, an array in the notation of PostgreSQL
--   season: number of the season; 0 for all
--   photometry_kind: kind of the light curves in which variables were found
--   julian_year: time for which errors of motions count
SELECT
    o.object_id,
    sqrt((
        (o.ra_err ^ 2 + o.dec_err ^ 2)
        + (coalesce(o.pm_ra_err, 0) ^ 2 + coalesce(o.pm_dec_err, 0) ^ 2)
        * (CAST(:julian_year AS double precision) - o.ref_epoch) ^ 2
    ) / 2) AS position_err,
    EXISTS (
        SELECT FROM roman.variable_object AS v
        WHERE
            v.object_id = o.object_id AND v.season IN (0, CAST(:season AS smallint))
            AND v.photometry_kind = CAST(:photometry_kind AS text)
    ) OR EXISTS (
        SELECT FROM roman.event AS e
        WHERE e.object_id = o.object_id AND e.is_event AND e.photometry_kind = CAST(:photometry_kind AS text)
    ) AS varies
FROM roman.object AS o
WHERE o.object_id = ANY(CAST(:object_id AS bigint []))
ORDER BY o.object_id
