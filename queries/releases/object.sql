-- All objects, as they are catalogued now.
-- Reads: roman.object
SELECT t.* FROM roman.object AS t
