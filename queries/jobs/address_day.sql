-- What an address from which somebody asks without signing in has used of a day.
-- Grain: one row.
-- Reads: ops.address_usage.
-- Writes: nothing.
-- Parameters:
--   client: digest of the address
--   since: beginning of the day
SELECT CAST(coalesce(sum(n_row), 0) AS bigint) AS n_row, coalesce(sum(seconds), 0) AS seconds
FROM ops.address_usage
WHERE client = CAST(:client AS text) AND day_start = CAST(:since AS timestamptz)
