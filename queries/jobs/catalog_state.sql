-- Find what the catalog said of objects that it has said several things of since a version: each of them, and what
-- it says now.
-- Grain: one row an object and what was said of it; replaced_by: the version that says something else, the largest
-- integer where none does.
-- Reads: roman.object, roman.object_history.
-- Writes: nothing.
-- Parameters:
--   first: first object_id of the range
--   last: last object_id of the range
--   oldest: version from which on changes count
SELECT object_id, replaced_by, ra, dec, ref_epoch, pm_ra, pm_dec, parallax
FROM roman.object_history
WHERE
    object_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
    AND replaced_by > CAST(:oldest AS bigint)
UNION ALL
SELECT
    o.object_id, CAST(9223372036854775807 AS bigint), o.ra, o.dec, o.ref_epoch, o.pm_ra, o.pm_dec, o.parallax
FROM roman.object AS o
WHERE
    o.object_id BETWEEN CAST(:first AS bigint) AND CAST(:last AS bigint)
    AND EXISTS (
        SELECT FROM roman.object_history AS h
        WHERE h.object_id = o.object_id AND h.replaced_by > CAST(:oldest AS bigint)
    )
ORDER BY object_id, replaced_by
