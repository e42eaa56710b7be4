-- One object: where it is, what is catalogued of it, and whether the catalog has dropped it.
-- Grain: one row, none where there is no such object
-- Parameters:
--   object_id: identifier of the object
SELECT o.object_id, o.ra, o.dec, o.ra_err, o.dec_err, o.ref_epoch, o.pm_ra, o.pm_ra_err, o.pm_dec, o.pm_dec_err,
       o.parallax, o.parallax_err,
       EXISTS (
           SELECT FROM roman.dropped_object AS d WHERE d.object_id = o.object_id AND d.restored_by IS NULL
       ) AS is_dropped
FROM roman.object AS o WHERE o.object_id = CAST(:object_id AS bigint);
