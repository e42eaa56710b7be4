-- Places of the objects of the current catalog.
-- Grain: object
-- Reads: roman.current_object
SELECT object_id, ra, dec
FROM roman.current_object
