-- Objects of the current catalog; those with light curves have a row in the catalog of light curves.
-- Grain: object
-- Reads: roman.current_object
SELECT object_id, ra, dec, ref_epoch
FROM roman.current_object
