-- Maps of extinction that were not replaced.
-- Reads: roman.extinction
SELECT t.* FROM roman.extinction AS t
WHERE t.superseded_at IS NULL
