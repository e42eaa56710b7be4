-- A secret that all services on this database share.
-- Grain: one row.
-- Reads: ops.service_key.
-- Writes: nothing.
-- Parameters:
--   purpose: what it is for
SELECT secret FROM ops.service_key WHERE purpose = CAST(:purpose AS text)
